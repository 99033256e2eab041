package org.vecformer.loader;

import java.util.List;

/**
 * How the numbers of a matrix, or of some rows of one, lie in a file: y[output] = sum over x[input] * number.
 *
 * @param inputsFirst whether rows are inputs, as GPT-2's Conv1D has it; otherwise they are outputs, as in linear layers
 *            and embeddings
 * @param inputs how many inputs
 * @param outputs how many outputs
 */
public record MatrixLayout(boolean inputsFirst, long inputs, long outputs) {

    /** The tensor's shape, if each element has the numbers of so many inputs (which divide all inputs). */
    public List<Long> shape(int inputsInElement) {
        long elements = inputs / inputsInElement;
        return inputsFirst ? List.of(elements, outputs) : List.of(outputs, elements);
    }

    /** Index of the element that has this input and output, if each has the numbers of so many inputs. */
    long index(long input, long output, int inputsInElement) {
        long element = input / inputsInElement;
        return inputsFirst ? element * outputs + output : output * (inputs / inputsInElement) + element;
    }
}
