package org.vecformer.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.vecformer.engine.generation.GeneratedSequence;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.TokenLogprob;
import org.vecformer.engine.generation.TokenScore;
import org.vecformer.tokenizer.StreamingDecoder;
import org.vecformer.tokenizer.Tokenizer;

/**
 * A generation as a page of HTML: the prompt, and each continuation with its tokens coloured by probability; the one
 * that is pointed at, or has the focus, shows its alternatives. One file without scripts, which asks for nothing else
 * and forbids the browser to. What comes from a model is escaped.
 */
final class ProbabilityPage {
    private static final String STYLE = """
            :root { color-scheme: light dark; --p0: #ffb3b3; --p1: #ffd1a8; --p2: #fff0a8; --p3: #dcf5b0; --p4: #b4efb4; }
            @media (prefers-color-scheme: dark) {
              :root { --p0: #7c1f1f; --p1: #774413; --p2: #635a12; --p3: #41591a; --p4: #1c5c27; }
            }
            body { font: 1rem/1.7 system-ui, sans-serif; max-width: 56rem; margin: 0 auto; padding: 1rem 1rem 22rem; }
            h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin-bottom: 0; }
            p { margin: .2rem 0 .6rem; opacity: .75; }
            .text { white-space: pre-wrap; overflow-wrap: anywhere; }
            .t { border-radius: .2em; unicode-bidi: isolate; cursor: default; }
            .t:hover, .t:focus { outline: 2px solid; }
            .p0 { background: var(--p0); } .p1 { background: var(--p1); } .p2 { background: var(--p2); }
            .p3 { background: var(--p3); } .p4 { background: var(--p4); }
            .n::before { content: "\\23CE"; opacity: .5; } .e::before { content: "\\B7"; opacity: .5; }
            .a { display: none; position: fixed; left: 0; right: 0; bottom: 0; z-index: 1; max-height: 20rem;
              overflow: auto; background: Canvas; color: CanvasText; border-top: 2px solid; padding: .5rem 1rem;
              font: .9rem/1.5 ui-monospace, monospace; user-select: none; }
            .t:focus > .a { display: block; } .t:hover > .a { display: block; z-index: 2; }
            .r { display: flex; gap: 1rem; } .r > * { flex: none; }
            .r .w { width: 14rem; overflow: hidden; text-overflow: ellipsis; white-space: pre; }
            .r .x { width: 5rem; text-align: right; } .r .b { height: 1em; background: currentColor; opacity: .35; }
            .c { font-weight: bold; }
            .l { padding: 0 .5em; margin-right: .4em; border-radius: .2em; }
            """;

    private final Tokenizer tokenizer;
    private final StringBuilder page = new StringBuilder();

    private ProbabilityPage(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /**
     * The page.
     *
     * @param model the model's name
     * @param prompt the prompt's text; without a tokenizer its ids
     * @param result what was generated, with log-probabilities
     * @param tokenizer null to show ids
     */
    static String of(String model, String prompt, GenerationResult result, Tokenizer tokenizer) {
        ProbabilityPage page = new ProbabilityPage(tokenizer);
        page.head(model);
        page.page.append("<h2>Prompt</h2>\n<div class=\"text\">").append(escaped(prompt)).append("</div>\n");
        List<GeneratedSequence> sequences = result.sequences();
        for (int i = 0; i < sequences.size(); i++) {
            page.sequence(sequences.get(i), sequences.size() == 1 ? "" : " " + (i + 1) + " of " + sequences.size());
        }
        page.page.append("</body>\n</html>\n");
        return page.page.toString();
    }

    private void head(String model) {
        page.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                + "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
                + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
                .append(escaped(model)).append("</title>\n<style>\n").append(STYLE)
                .append("</style>\n</head>\n<body>\n<h1>").append(escaped(model)).append("</h1>\n<p>");
        for (int level = ProbabilityColours.LEVELS - 1; level >= 0; level--) {
            page.append("<span class=\"l p").append(level).append("\">").append(ProbabilityColours.name(level))
                    .append("</span>");
        }
        page.append("<br>How likely the model found each token, before anything was done to choose among them. Point at"
                + " a token, or go to it with the tab key, to see the alternatives.</p>\n");
    }

    private void sequence(GeneratedSequence sequence, String number) {
        page.append("<h2>Continuation").append(number).append("</h2>\n<p>").append(sequence.ids().length)
                .append(" tokens, ").append(TextOutput.facts(sequence)).append("</p>\n<div class=\"text\">");
        List<String> pieces = pieces(sequence.ids());
        for (int i = 0; i < pieces.size(); i++) {
            token(pieces.get(i), sequence.logprobs().get(i));
        }
        page.append("</div>\n");
    }

    /** The text that each token adds; a character of several tokens stands with the last of them. */
    private List<String> pieces(int[] ids) {
        List<String> pieces = new ArrayList<>();
        StreamingDecoder decoder = tokenizer == null ? null : tokenizer.streamingDecoder();
        for (int id : ids) {
            pieces.add(decoder == null ? id + " " : tokenizer.contains(id) ? decoder.accept(id) : "");
        }
        if (decoder != null && !pieces.isEmpty()) {
            pieces.add(pieces.removeLast() + decoder.finish());
        }
        return pieces;
    }

    private void token(String text, TokenScore score) {
        double probability = Math.exp(score.logprob());
        page.append("<span class=\"t p").append(ProbabilityColours.level(probability)).append("\" tabindex=\"0\">")
                .append(text.isEmpty()
                        ? "<i class=\"e\"></i>"
                        : escaped(text).replace("\n", "<i class=\"n\"></i>\n"))
                .append("<span class=\"a\">");
        Optional<TokenLogprob> chosen = score.top().stream().filter(other -> other.id() == score.id()).findFirst();
        if (chosen.isEmpty()) {
            row(score.id(), probability, true);
        }
        for (TokenLogprob other : score.top()) {
            row(other.id(), Math.exp(other.logprob()), other.id() == score.id());
        }
        page.append("</span></span>");
    }

    private void row(int id, double probability, boolean chosen) {
        page.append("<span class=\"r").append(chosen ? " c" : "").append("\"><span class=\"w\">")
                .append(escaped(Shown.token(tokenizer, id)))
                .append(String.format(Locale.ROOT,
                        "</span><span class=\"x\">%.2f %%</span><span class=\"b\" style=\"width:%.1fem\"></span></span>",
                        100 * probability, 20 * probability));
    }

    /** A text as HTML shows it; characters that control something are shown as their pictures (U+2400 ...). */
    static String escaped(String text) {
        StringBuilder html = new StringBuilder();
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> html.append("&amp;");
                case '<' -> html.append("&lt;");
                case '>' -> html.append("&gt;");
                case '"' -> html.append("&quot;");
                case '\'' -> html.append("&#39;");
                case '\n', '\t' -> html.append((char) c);
                default -> html.appendCodePoint(
                        c < 0x20 ? 0x2400 + c : c == 0x7F ? 0x2421 : Character.isISOControl(c) ? 0xFFFD : c);
            }
        });
        return html.toString();
    }
}
