package org.vecformer.tokenizer;

import java.util.Arrays;

/**
 * Byte pair encoding of one word after the other: start with the symbols that the spelling says, then merge the pair of
 * the lowest rank, leftmost first, until no pair merges (Sennrich, Haddow and Birch 2016). Holds the scratch of one call, so it belongs
 * to one thread; the tables and the cache behind it are shared.
 */
final class WordEncoder {
    /** Up to here scanning all pairs for each merge is faster than a heap; beyond, it would be quadratic. */
    private static final int SCAN_LIMIT = 100;

    private final MergeTable table;
    private final Spelling spelling;
    private final WordCache cache;

    private int[] symbols = new int[128];
    /** The merge of each symbol with the one after it. */
    private long[] merges = new long[128];
    private int[] before = {};
    private int[] after = {};
    private long[] heap = {};
    private int heapSize;

    WordEncoder(MergeTable table, Spelling spelling, WordCache cache) {
        this.table = table;
        this.spelling = spelling;
        this.cache = cache;
    }

    /** Appends the ids of a word. */
    void encode(char[] text, int start, int end, IntList ids) {
        if (end - start > WordCache.LONGEST_WORD) {
            int count = mergeWord(text, start, end);
            ids.addAll(symbols, count);
            return;
        }
        int hash = WordCache.hash(text, start, end);
        int[] known = cache.find(text, start, end, hash);
        if (known != null) {
            ids.addAll(known, known.length);
            return;
        }
        int count = mergeWord(text, start, end);
        cache.offer(text, start, end, hash, symbols, count);
        ids.addAll(symbols, count);
    }

    private int mergeWord(char[] text, int start, int end) {
        int count = spell(text, start, end);
        return count <= SCAN_LIMIT ? mergeByScanning(count) : mergeByHeap(count);
    }

    private int spell(char[] text, int start, int end) {
        // Counted only where the most there can be would not fit.
        if ((long) Spelling.MOST_FOR_A_CHARACTER * (end - start) > symbols.length) {
            int count = spelling.count(text, start, end);
            if (count > symbols.length) {
                int capacity = Math.max(count, symbols.length + (symbols.length >> 1));
                symbols = new int[capacity];
                merges = new long[capacity];
            }
        }
        return spelling.spell(text, start, end, symbols);
    }

    private int mergeByScanning(int length) {
        int count = length;
        for (int i = 0; i + 1 < count; i++) {
            merges[i] = table.get(symbols[i], symbols[i + 1]);
        }
        while (true) {
            long best = MergeTable.NONE;
            int at = 0;
            for (int i = 0; i + 1 < count; i++) {
                if (merges[i] < best) {
                    best = merges[i];
                    at = i;
                }
            }
            if (best == MergeTable.NONE) {
                return count;
            }
            count--;
            symbols[at] = MergeTable.merged(best);
            for (int i = at + 1; i < count; i++) {
                symbols[i] = symbols[i + 1];
                merges[i] = merges[i + 1];
            }
            if (at > 0) {
                merges[at - 1] = table.get(symbols[at - 1], symbols[at]);
            }
            if (at + 1 < count) {
                merges[at] = table.get(symbols[at], symbols[at + 1]);
            }
        }
    }

    /**
     * The same merges in the same order in n log n: symbols in a linked list, merges in a heap by rank and
     * position.
     */
    private int mergeByHeap(int length) {
        if (before.length < length) {
            before = new int[length];
            after = new int[length];
        }
        heapSize = 0;
        for (int i = 0; i < length; i++) {
            before[i] = i - 1;
            after[i] = i + 1;
            look(i, length);
        }
        while (heapSize > 0) {
            long top = pop();
            int at = (int) top;
            // What was merged meanwhile has another merge, or none, in its place.
            if (merges[at] == MergeTable.NONE || merges[at] >>> 32 != top >>> 32) {
                continue;
            }
            symbols[at] = MergeTable.merged(merges[at]);
            int gone = after[at];
            merges[gone] = MergeTable.NONE;
            after[at] = after[gone];
            if (after[at] < length) {
                before[after[at]] = at;
            }
            look(at, length);
            if (before[at] >= 0) {
                look(before[at], length);
            }
        }
        int count = 0;
        for (int i = 0; i < length; i = after[i]) {
            symbols[count++] = symbols[i];
        }
        return count;
    }

    /** Looks up the merge of a symbol with the one after it and queues it. */
    private void look(int at, int length) {
        merges[at] = after[at] < length ? table.get(symbols[at], symbols[after[at]]) : MergeTable.NONE;
        if (merges[at] != MergeTable.NONE) {
            push(merges[at] & 0xFFFFFFFF00000000L | at);
        }
    }

    private void push(long value) {
        if (heapSize == heap.length) {
            heap = Arrays.copyOf(heap, Math.max(256, heapSize + (heapSize >> 1)));
        }
        int at = heapSize++;
        while (at > 0 && heap[at - 1 >> 1] > value) {
            heap[at] = heap[at - 1 >> 1];
            at = at - 1 >> 1;
        }
        heap[at] = value;
    }

    private long pop() {
        long top = heap[0];
        long last = heap[--heapSize];
        int at = 0;
        while (true) {
            int child = 2 * at + 1;
            if (child >= heapSize) {
                break;
            }
            if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= last) {
                break;
            }
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = last;
        return top;
    }
}
