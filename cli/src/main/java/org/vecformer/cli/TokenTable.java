package org.vecformer.cli;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.vecformer.engine.generation.TokenScore;
import org.vecformer.tokenizer.Tokenizer;

/** The tokens of a continuation with their log-probabilities, and what could have come instead, to be read by people. */
final class TokenTable {
    private static final int TOKEN_COLUMNS = 18;

    private TokenTable() {
    }

    /** @param tokenizer null to show ids */
    static void print(StandardOutput out, List<TokenScore> scores, Tokenizer tokenizer) throws IOException {
        boolean alternatives = scores.stream().anyMatch(score -> !score.top().isEmpty());
        out.println(" logprob  " + (alternatives
                ? Shown.padded("token", TOKEN_COLUMNS) + "  most likely"
                : "token"));
        for (TokenScore score : scores) {
            String token = Shown.token(tokenizer, score.id());
            out.println(String.format(Locale.ROOT, "%8.4f  ", score.logprob()) + (alternatives
                    ? Shown.padded(token, TOKEN_COLUMNS) + "  " + score.top().stream()
                            .map(other -> Shown.token(tokenizer, other.id())
                                    + String.format(Locale.ROOT, " %.4f", other.logprob()))
                            .collect(Collectors.joining(", "))
                    : token));
        }
    }
}
