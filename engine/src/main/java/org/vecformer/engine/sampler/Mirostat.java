package org.vecformer.engine.sampler;

/**
 * Selects at random so that the surprise of the tokens, -log2 of their probability, is tau bits on average: candidates
 * whose surprise exceeds a bound go (the most likely one stays), one of the rest is drawn, and the bound moves by
 * eta times the difference between tau and the surprise of the token drawn, as the rest saw it. It begins at 2 tau.
 * <p>
 * Mirostat 2.0 by Basu, Ramachandran, Keskar and Varshney (arXiv 2007.14966), as in llama.cpp's
 * {@code llama_sampler_init_mirostat_v2}. The drawing is that of {@link Multinomial}. The bound moves when the selected
 * token is accepted; another one does not move it.
 */
public final class Mirostat implements Sampler {
    private static final double LN_2 = StrictMath.log(2);

    private final double tau;
    private final double eta;
    private final Multinomial draw;
    private double bound;
    private int selected = -1;
    private double surprise;

    /**
     * @param tau  the surprise to aim at, in bits
     * @param eta  the learning rate
     * @param seed of the drawing
     * @throws IllegalArgumentException if tau or eta is not a positive finite number
     */
    public Mirostat(double tau, double eta, long seed) {
        this(Parameters.positive("mirostat tau", tau), Parameters.positive("mirostat eta", eta), new Multinomial(seed));
    }

    private Mirostat(double tau, double eta, Multinomial draw) {
        this.tau = tau;
        this.eta = eta;
        this.draw = draw;
        this.bound = 2 * tau;
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if no candidate has a logit above negative infinity
     */
    @Override
    public void apply(Candidates candidates) {
        candidates.softmax();
        candidates.keepLikely((float) StrictMath.exp(-bound * LN_2), 1);
        draw.apply(candidates);
        selected = candidates.selectedToken();
        surprise = -StrictMath.log(candidates.probabilities()[candidates.selected()]) / LN_2;
    }

    @Override
    public void accept(int token) {
        if (token == selected) {
            bound -= eta * (surprise - tau);
        }
        selected = -1;
    }

    @Override
    public void reset() {
        draw.reset();
        bound = 2 * tau;
        selected = -1;
    }

    @Override
    public Mirostat copy() {
        Mirostat copy = new Mirostat(tau, eta, draw.copy());
        copy.bound = bound;
        copy.selected = selected;
        copy.surprise = surprise;
        return copy;
    }
}
