package org.vecformer.engine.task;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Joins labelled tokens to entities, by the rules of Hugging Face's {@code TokenClassificationPipeline} (transformers
 * 5): {@code gather_pre_entities}, {@code aggregate_words}, {@code group_entities}.
 */
final class EntityAggregation {

    private final List<String> labels;
    private final String prefix;

    /**
     * A token.
     *
     * @param word    as the vocabulary spells it; the text's own characters if the vocabulary cannot
     * @param scores  of all labels
     * @param subword whether it goes on with the word of the token before
     */
    record Token(String word, double[] scores, int index, int start, int end, boolean subword) {}

    private record Labelled(String label, double score, String word, int index, int start, int end) {}

    /**
     * @param prefix of tokens that go on with a word
     */
    EntityAggregation(List<String> labels, String prefix) {
        this.labels = labels;
        this.prefix = prefix;
    }

    List<Entity> entities(List<Token> tokens, Aggregation aggregation, Set<String> ignored) {
        List<Labelled> labelled = switch (aggregation) {
            case NONE, SIMPLE -> tokens.stream().map(token -> best(token, List.of(token))).toList();
            case FIRST, AVERAGE, MAX -> words(tokens, aggregation);
        };
        List<Entity> entities = aggregation == Aggregation.NONE
                ? labelled.stream().map(token -> new Entity(token.label, token.score, token.word, token.index,
                        token.start, token.end)).toList()
                : grouped(labelled);
        return entities.stream().filter(entity -> !ignored.contains(entity.label())).toList();
    }

    private Labelled best(Token decisive, List<Token> tokens) {
        return labelled(decisive.scores, tokens);
    }

    /** Tokens that have one label together, that with the best score. */
    private Labelled labelled(double[] scores, List<Token> tokens) {
        int best = best(scores);
        Token first = tokens.getFirst();
        String word = tokens.size() == 1 ? first.word : join(tokens.stream().map(Token::word).toList());
        return new Labelled(labels.get(best), scores[best], word, first.index, first.start, tokens.getLast().end);
    }

    private static int best(double[] scores) {
        int best = 0;
        for (int i = 1; i < scores.length; i++) {
            if (scores[i] > scores[best]) {
                best = i;
            }
        }
        return best;
    }

    private List<Labelled> words(List<Token> tokens, Aggregation aggregation) {
        List<Labelled> words = new ArrayList<>();
        for (int from = 0; from < tokens.size();) {
            int to = from + 1;
            while (to < tokens.size() && tokens.get(to).subword) {
                to++;
            }
            List<Token> word = tokens.subList(from, to);
            words.add(switch (aggregation) {
                case AVERAGE -> labelled(mean(word), word);
                case MAX -> best(surest(word), word);
                default -> best(word.getFirst(), word);
            });
            from = to;
        }
        return words;
    }

    private static Token surest(List<Token> word) {
        Token surest = word.getFirst();
        for (Token token : word) {
            if (token.scores[best(token.scores)] > surest.scores[best(surest.scores)]) {
                surest = token;
            }
        }
        return surest;
    }

    private static double[] mean(List<Token> word) {
        double[] mean = new double[word.getFirst().scores.length];
        for (int i = 0; i < mean.length; i++) {
            for (Token token : word) {
                mean[i] += token.scores[i];
            }
            mean[i] /= word.size();
        }
        return mean;
    }

    private List<Entity> grouped(List<Labelled> labelled) {
        List<Entity> entities = new ArrayList<>();
        for (int from = 0; from < labelled.size();) {
            String type = type(labelled.get(from).label);
            int to = from + 1;
            while (to < labelled.size() && !labelled.get(to).label.startsWith("B-")
                    && type(labelled.get(to).label).equals(type)) {
                to++;
            }
            List<Labelled> group = labelled.subList(from, to);
            String first = group.getFirst().label;
            entities.add(new Entity(first.substring(first.indexOf('-') + 1),
                    group.stream().mapToDouble(Labelled::score).average().orElseThrow(),
                    join(group.stream().map(Labelled::word).toList()), -1, group.getFirst().start,
                    group.getLast().end));
            from = to;
        }
        return entities;
    }

    private static String type(String label) {
        return label.startsWith("B-") || label.startsWith("I-") ? label.substring(2) : label;
    }

    /** Pieces as text: the WordPiece decoder of Hugging Face's tokenizers, which cleans up piece by piece. */
    private String join(List<String> pieces) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < pieces.size(); i++) {
            String piece = pieces.get(i);
            if (i > 0) {
                piece = !prefix.isEmpty() && piece.startsWith(prefix)
                        ? piece.substring(prefix.length())
                        : " " + piece;
            }
            text.append(piece.replace(" .", ".").replace(" ?", "?").replace(" !", "!").replace(" ,", ",")
                    .replace(" ' ", "'").replace(" n't", "n't").replace(" 'm", "'m").replace(" do not", " don't")
                    .replace(" 's", "'s").replace(" 've", "'ve").replace(" 're", "'re"));
        }
        return text.toString();
    }
}
