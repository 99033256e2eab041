package org.vecformer.loader.convert;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.vecformer.loader.FormatException;

/** A checkpoint's variables by the new names of their tensors, and what was left out. */
final class VariableNames {
    /** What optimizers keep beside a variable, and how far training was. */
    private static final Pattern TRAINING_STATE = Pattern.compile(
            "(.*/)?(adam_m|adam_v|Adam|Adam_1|Momentum|lamb_m|lamb_v|beta1_power|beta2_power|global_step)");

    private final WeightSource source;
    private final Map<String, TensorPlan> plans = new LinkedHashMap<>();
    private final List<String> unknown = new ArrayList<>();
    private int trainingState;

    /** Gives variables their new names. */
    interface Naming {
        /** What becomes of a variable; null if the model has no such variable. */
        TensorPlan plan(SourceTensor variable);
    }

    VariableNames(WeightSource source, Naming naming) throws FormatException {
        this.source = source;
        for (SourceTensor tensor : source.tensors()) {
            if (TRAINING_STATE.matcher(tensor.name()).matches()) {
                trainingState++;
                continue;
            }
            TensorPlan plan = naming.plan(tensor);
            if (plan == null) {
                unknown.add(FormatException.plain(tensor.name()) + " " + tensor.describe());
                continue;
            }
            TensorPlan other = plans.putIfAbsent(plan.name(), plan);
            if (other != null) {
                throw error("the variables " + FormatException.quote(other.source().name()) + " and "
                        + FormatException.quote(tensor.name()) + " are both " + plan.name()
                        + ", expected the variables of one model");
            }
        }
        for (String other : source.others()) {
            unknown.add(FormatException.plain(other));
        }
    }

    void report(Findings findings) {
        if (trainingState > 0) {
            findings.note("left out " + trainingState + " variables of the training's state (adam_m, adam_v,"
                    + " global_step and the like)");
        }
        if (!unknown.isEmpty()) {
            findings.warn("left out " + unknown.size() + " variable" + (unknown.size() == 1 ? "" : "s")
                    + " that the model does not have: " + Findings.list(unknown));
        }
    }

    boolean has(String name) {
        return plans.containsKey(name);
    }

    /** The shape of a tensor that must be there. */
    List<Long> shape(String name) throws FormatException {
        TensorPlan plan = plans.get(name);
        if (plan == null) {
            throw error("there is no variable for " + name + "; the checkpoint is incomplete or of another model");
        }
        return plan.shape();
    }

    /** One dimension of a tensor that must be there with so many of them. */
    long dimension(String name, int index, int dimensions) throws FormatException {
        List<Long> shape = shape(name);
        if (shape.size() != dimensions || shape.contains(0L)) {
            throw error(name + " has the shape " + shape + ", expected " + dimensions + " dimensions");
        }
        return shape.get(index);
    }

    void require(String name, long... expected) throws FormatException {
        List<Long> shape = shape(name);
        List<Long> wanted = Arrays.stream(expected).boxed().toList();
        if (!shape.equals(wanted)) {
            throw error(name + " has the shape " + shape + ", expected " + wanted);
        }
    }

    /** How many numbered layers there are, from 0 on. */
    int layers(Pattern layerName) throws FormatException {
        int layers = 0;
        for (String name : plans.keySet()) {
            var matcher = layerName.matcher(name);
            if (matcher.matches()) {
                layers = Math.max(layers, Integer.parseInt(matcher.group(1)) + 1);
            }
        }
        if (layers == 0) {
            throw error("there is no layer 0; the checkpoint is incomplete or of another model");
        }
        return layers;
    }

    /** All tensors of the model, in the order in which they are best read. */
    List<TensorPlan> plans() {
        return List.copyOf(plans.values());
    }

    FormatException error(String problem) {
        return new FormatException(source.name() + ": " + problem);
    }
}
