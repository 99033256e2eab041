package org.vecformer.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.vecformer.bench.EncoderReport.Line;
import org.vecformer.bench.EncoderReport.Lines;
import org.vecformer.bench.EncoderRun.Shape;
import org.vecformer.bench.SentenceEncoder.Arithmetic;
import org.vecformer.bench.TargetsReport.Options;
import org.vecformer.engine.Engine;
import org.vecformer.engine.WeightType;
import org.vecformer.loader.ModelFiles;
import org.vecformer.yardstick.Limit;
import org.vecformer.yardstick.Limits;
import org.vecformer.yardstick.Samples;

/**
 * MiniLM and BERT-base, by {@link EncoderReport}: float32 beside float32, int8 beside int8.
 *
 * @param bertBase random weights of BERT-base's shape
 * @param limits   the machine's
 */
record EncoderTargets(Engine engine, Options options, ModelFiles bertBase, Rivals rivals, Limits limits)
        implements
            TargetsReport.Part {

    private static final String FLOAT_GOAL = ">= 1.2 x";
    private static final String INTEGER_GOAL = ">= 1 x";

    @Override
    public void measure(Consumer<Target> rows) throws IOException {
        if (options.minilm().isPresent()) {
            measure("MiniLM", ModelFiles.of(options.minilm().get()), Shape.ALL, rows);
        } else {
            rows.accept(Target.missing("MiniLM", FLOAT_GOAL + " ONNX Runtime", "give all-MiniLM-L6-v2 by --minilm"));
        }
        // What pads is told by MiniLM.
        measure("BERT-base", bertBase, Shape.ALL.subList(0, 3), rows);
    }

    private void measure(String model, ModelFiles files, List<Shape> shapes, Consumer<Target> rows)
            throws IOException {
        List<SentenceEncoder> encoders = new ArrayList<>();
        try {
            VecformerEncoder floats = VecformerEncoder.load(engine, files, WeightType.F32);
            encoders.add(floats);
            encoders.add(VecformerEncoder.load(engine, files, WeightType.INT8));
            String missing = null;
            try {
                rivals.open(files, options.threads(), encoders);
            } catch (IOException e) {
                missing = e.getMessage();
            }
            if (missing == null && encoders.size() == 2) {
                missing = "no peers in this build: mvn -Ppeers, TargetsPeersReport";
            }
            if (missing != null) {
                rows.accept(Target.missing(model + " beside ONNX Runtime", FLOAT_GOAL, missing));
            }
            for (Shape shape : shapes) {
                rows(model + " ", shape, EncoderReport.measure(shape, floats.config(), encoders, limits,
                        options.encoderPlan())).forEach(rows);
            }
        } finally {
            encoders.forEach(SentenceEncoder::close);
        }
    }

    /** The first line is our float32, the second our int8: each beside the peers of its kind, or alone. */
    static List<Target> rows(String prefix, Shape shape, Lines measured) {
        List<Target> rows = new ArrayList<>();
        Line floats = measured.lines().get(0);
        Line integers = measured.lines().get(1);
        List<Line> peers = measured.lines().subList(2, measured.lines().size());
        for (Line peer : peers) {
            boolean integer = peer.encoder().arithmetic() == Arithmetic.INTEGER;
            Line ours = integer ? integers : floats;
            Samples ratio = ours.speed().shareOf(1, peer.speed());
            double goal = integer ? 1 : 1.2;
            if (!integer && !peer.likeness().same()) {
                throw new IllegalStateException(
                        "the vectors of " + peer.encoder().name() + " and ours differ on " + shape.name());
            }
            rows.add(row(prefix, shape, ours, measured, integer ? INTEGER_GOAL : FLOAT_GOAL)
                    .beside(peer.encoder().name(), peer.speed().median(), ratio.median())
                    .reached(ratio.median() >= goal));
        }
        if (peers.isEmpty()) {
            rows.add(row(prefix, shape, floats, measured, FLOAT_GOAL + " ONNX Runtime"));
        }
        if (peers.stream().noneMatch(peer -> peer.encoder().arithmetic() == Arithmetic.INTEGER)) {
            rows.add(row(prefix, shape, integers, measured, INTEGER_GOAL + " ONNX Runtime int8"));
        }
        return rows;
    }

    private static Target row(String prefix, Shape shape, Line ours, Lines measured, String goal) {
        // "vecformer f32"
        String type = ours.encoder().name().substring(ours.encoder().name().indexOf(' ') + 1);
        return Target.of(prefix + type + " " + shape.name(), goal, ours.speed().median(), "tokens/s")
                .of(Limit.FMA_PEAK, measured.fmaPeak().median(), ours.share().median());
    }
}
