package org.vecformer.tokenizer;

import java.util.Arrays;

/** A growing array of ints. */
final class IntList {
    private int[] values;
    private int size;

    IntList(int capacity) {
        values = new int[Math.max(capacity, 8)];
    }

    void add(int value) {
        if (size == values.length) {
            grow(size + 1);
        }
        values[size++] = value;
    }

    void addAll(int[] more, int count) {
        int newSize = Math.addExact(size, count);
        if (newSize > values.length) {
            grow(newSize);
        }
        // Words have one to three ids: a loop beats the call.
        for (int i = 0; i < count; i++) {
            values[size + i] = more[i];
        }
        size = newSize;
    }

    int get(int index) {
        return values[index];
    }

    /** Forgets all but the first. */
    void cut(int newSize) {
        size = newSize;
    }

    int size() {
        return size;
    }

    int[] toArray() {
        return Arrays.copyOf(values, size);
    }

    private void grow(int needed) {
        values = Arrays.copyOf(values, Math.max(needed, (int) Math.min(2L * values.length, Integer.MAX_VALUE - 8)));
    }
}
