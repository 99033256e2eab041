package org.vecformer.cli;

import java.util.Optional;
import org.vecformer.engine.generation.DecodingStrategy;
import org.vecformer.engine.generation.DecodingStrategy.BeamSearch;
import org.vecformer.engine.generation.DecodingStrategy.ContrastiveSearch;
import org.vecformer.engine.generation.EarlyStopping;
import org.vecformer.engine.generation.GenerationOptions;
import picocli.CommandLine.Option;

/** How many texts, and searches for them that are more than one token after the other. */
@Section("Beams and other searches (with an option about drawing, beams are drawn)")
final class StrategyOptions {
    /** Far more than anybody wants; each takes memory. */
    private static final int MOST = 10_000;
    private static final int DEFAULT_CONTRASTIVE_TOP_K = 4;
    private static final double DEFAULT_DIVERSITY_PENALTY = 0.5;

    @Option(names = "--num-return-sequences", paramLabel = "N", description = "write so many texts; of beams at most as many as there are")
    Integer returnSequences;

    @Option(names = "--num-beams", paramLabel = "N", description = "beam search: go on with the N best texts at once; 1 for none")
    Integer beams;

    @Option(names = "--length-penalty", paramLabel = "X", description = "a beam's score is its log-probability divided by its number of tokens to the power X: above 0 favours long texts (default: 1)")
    Double lengthPenalty;

    @Option(names = "--early-stopping", paramLabel = "true|false|never", description = "as soon as there are N finished texts stop looking for better ones; if better ones are unlikely (false, the default); or only if they are impossible (never)")
    String earlyStopping;

    @Option(names = "--num-beam-groups", paramLabel = "N", description = "diverse beam search: so many groups, of which the later avoid the tokens of the earlier")
    Integer groups;

    @Option(names = "--diversity-penalty", paramLabel = "X", description = "how much they avoid them (default: "
            + DEFAULT_DIVERSITY_PENALTY
            + ")")
    Double diversityPenalty;

    @Option(names = "--penalty-alpha", paramLabel = "A", description = "contrastive search among the --top-k (default: "
            + DEFAULT_CONTRASTIVE_TOP_K
            + ") most likely tokens, with this weight (0 to 1) of the penalty for what resembles the text so far")
    Double penaltyAlpha;

    /** @throws UsageException if the options contradict each other, or a value is out of range */
    void check(DrawOptions draw) {
        Values.count(MOST, "--num-return-sequences", returnSequences);
        Values.count(MOST, "--num-beams", beams);
        Values.finite("--length-penalty", lengthPenalty);
        Values.check("--early-stopping", earlyStopping, early().isPresent(), "true, false or never");
        Values.atLeast(1, "--num-beam-groups", groups);
        Values.check("--diversity-penalty", diversityPenalty, diversityPenalty != null && diversityPenalty >= 0
                && diversityPenalty <= Float.MAX_VALUE, "0 or more");
        Values.probability("--penalty-alpha", penaltyAlpha);
        if (penaltyAlpha != null && (beams != null || beamsMeant() != null)) {
            throw new UsageException(
                    "--penalty-alpha is contrastive search, which has no beams; choose one of the two");
        }
        if (penaltyAlpha != null && draw.givenBesideTopK()) {
            throw new UsageException(
                    "--penalty-alpha is contrastive search, which draws no tokens; of the options about"
                            + " drawing only --top-k goes with it");
        }
        if (penaltyAlpha != null) {
            Values.count(MOST, "--top-k", draw.topK);
        }
        if (penaltyAlpha != null && draw.greedy) {
            throw new UsageException("--penalty-alpha is contrastive search, which is not --greedy; choose");
        }
        if (diversityPenalty != null && (groups == null || groups == 1)) {
            throw new UsageException("--diversity-penalty goes with several --num-beam-groups");
        }
        if (groups != null && groups > 1 && draw.given()) {
            throw new UsageException("beams in several groups are not drawn; choose between --num-beam-groups and the"
                    + " options about drawing");
        }
        if (beams != null) {
            checkBeams(beams);
        }
        if (returnSequences != null && returnSequences > 1
                && (penaltyAlpha != null || draw.greedy && (beams == null || beams == 1))) {
            throw oneResult();
        }
    }

    private static UsageException oneResult() {
        return new UsageException("--num-return-sequences asks for several texts, and this search has one result: draw"
                + " tokens (--temperature, --seed ...) or use --num-beams");
    }

    private void checkBeams(int number) {
        if (number == 1 && beamsMeant() != null) {
            throw new UsageException(beamsMeant() + " is about beams; give more than one with --num-beams");
        }
        if (groups != null && number % groups != 0) {
            throw new UsageException("--num-beam-groups is " + groups + "; expected a divisor of the " + number
                    + " beams");
        }
        if (returnSequences != null && number > 1 && returnSequences > number) {
            throw new UsageException("--num-return-sequences is " + returnSequences + ", of " + number
                    + " beams (--num-beams); expected at most as many");
        }
    }

    /** An option that was given and is about beams alone; null if there is none. */
    private String beamsMeant() {
        return lengthPenalty != null
                ? "--length-penalty"
                : earlyStopping != null
                        ? "--early-stopping"
                        : groups != null && groups > 1
                                ? "--num-beam-groups"
                                : diversityPenalty != null ? "--diversity-penalty" : null;
    }

    private Optional<EarlyStopping> early() {
        return Optional.ofNullable(earlyStopping).flatMap(EarlyStopping::of);
    }

    /**
     * Adds what was given; what was not stays as recommended.
     *
     * @throws UsageException if that does not go together with what the model's authors recommend
     */
    GenerationOptions apply(GenerationOptions recommended, DrawOptions draw) {
        DecodingStrategy strategy = strategy(recommended.strategy(), draw);
        int number = strategy instanceof BeamSearch search ? search.beams() : 1;
        checkBeams(number);
        int sequences = returnSequences != null ? returnSequences : recommended.returnSequences();
        if (returnSequences == null && !(strategy instanceof DecodingStrategy.RandomSampling)) {
            // A recommended number was for the recommended search.
            sequences = Math.min(sequences, number);
        } else if (sequences > 1 && number == 1 && !strategy.drawsTokens()) {
            throw oneResult();
        }
        return recommended.withStrategy(strategy).withReturnSequences(sequences);
    }

    private DecodingStrategy strategy(DecodingStrategy recommended, DrawOptions draw) {
        if (penaltyAlpha != null) {
            return new ContrastiveSearch(draw.topK == null ? DEFAULT_CONTRASTIVE_TOP_K : draw.topK, penaltyAlpha);
        }
        BeamSearch given = recommended instanceof BeamSearch search ? search : null;
        int number = beams != null ? beams : given != null ? given.beams() : 1;
        // Who asks for beams asks for the best texts, unless the options say how to draw them.
        boolean draws = !draw.greedy && (draw.given() || recommended.drawsTokens() && (beams == null || beams == 1));
        if (number > 1) {
            return beams(number, given, draws);
        }
        boolean contrastive = recommended instanceof ContrastiveSearch && beams == null && !draw.greedy && !draws;
        return contrastive ? recommended : draws ? DecodingStrategy.random() : DecodingStrategy.greedy();
    }

    private BeamSearch beams(int number, BeamSearch recommended, boolean draws) {
        BeamSearch base = recommended == null ? new BeamSearch(number) : recommended;
        int inGroups = groups != null ? groups : number % base.groups() == 0 && !draws ? base.groups() : 1;
        double diversity = inGroups == 1
                ? 0
                : diversityPenalty != null
                        ? diversityPenalty
                        : base.groups() > 1 ? base.diversityPenalty() : DEFAULT_DIVERSITY_PENALTY;
        BeamSearch search = new BeamSearch(number)
                .withLengthPenalty(lengthPenalty == null ? base.lengthPenalty() : lengthPenalty)
                .withEarlyStopping(early().orElse(base.earlyStopping())).withGroups(inGroups, diversity);
        return draws && inGroups == 1 ? search.withDrawing() : search;
    }
}
