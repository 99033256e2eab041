package org.vecformer.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Cuts encoded texts to size, puts special tokens around them and fills up, in the order and with the arithmetic of the
 * Hugging Face tokenizers library ({@code utils/truncation.rs}, {@code processors/template.rs}).
 */
final class EncodingAssembler {
    private final String[] names;
    private final Template template;
    private final Tokenizer tokenizer;
    private final boolean truncateLeft;

    EncodingAssembler(String[] names, Template template, Tokenizer tokenizer, boolean truncateLeft) {
        this.names = names;
        this.template = template;
        this.tokenizer = tokenizer;
        this.truncateLeft = truncateLeft;
    }

    private record Range(int from, int to) {
        int size() {
            return to - from;
        }
    }

    /** One encoding, or with {@code allWindows} as many as it takes to hold the whole text. */
    List<Encoding> assemble(EncodedText first, EncodedText second, EncodingOptions options, boolean allWindows) {
        List<Template.Piece> pieces = second == null ? template.single() : template.pair();
        if (pieces == null) {
            throw new IllegalArgumentException(
                    "the tokenizer files do not say how a pair of texts is put together, expected one text");
        }
        EncodedText other = second == null ? EncodedText.NOTHING : second;
        int added = options.specialTokens() ? Template.added(pieces) : 0;
        int[] keep = {first.size(), other.size()};
        if (options.maxLength() > 0 && options.truncation() != Truncation.NONE) {
            keep = kept(first, other, second != null, added, options);
        }
        List<Range> firstParts = parts(first.size(), keep[0], options.stride(), allWindows);
        List<Range> secondParts = parts(other.size(), keep[1], options.stride(), allWindows);
        boolean truncated = keep[0] < first.size() || keep[1] < other.size();
        List<Encoding> encodings = new ArrayList<>();
        encodings.add(join(pieces, first, firstParts.getFirst(), other, secondParts.getFirst(), options, truncated));
        int length = options.pads() ? options.paddedLength(encodings.getFirst().size()) : 0;
        if (allWindows) {
            // The order in which the reference merges what overflowed.
            for (Range part : firstParts.subList(1, firstParts.size())) {
                for (Range otherPart : secondParts) {
                    encodings.add(join(pieces, first, part, other, otherPart, options, truncated));
                }
            }
            for (Range otherPart : secondParts.subList(1, secondParts.size())) {
                encodings.add(join(pieces, first, firstParts.getFirst(), other, otherPart, options, truncated));
            }
        }
        encodings.replaceAll(encoding -> encoding.padded(length, tokenizer));
        return encodings;
    }

    /** How many ids of each text stay. */
    private static int[] kept(EncodedText firstText, EncodedText secondText, boolean pair, int added,
            EncodingOptions options) {
        int first = firstText.size();
        int second = secondText.size();
        int room = options.maxLength() - added;
        long tooMany = (long) first + second - room;
        if (tooMany <= 0) {
            return new int[]{first, second};
        }
        if (room < 0) {
            throw new IllegalArgumentException("a maximum length of " + options.maxLength() + " has no room for "
                    + added + " special tokens");
        }
        if (room == 0) {
            return new int[]{0, 0};
        }
        switch (options.truncation()) {
            case ONLY_FIRST -> {
                return new int[]{shortened("first", first, tooMany, options), second};
            }
            case ONLY_SECOND -> {
                if (!pair) {
                    throw new IllegalArgumentException(
                            "the truncation is ONLY_SECOND and there is no second text, expected a pair of texts");
                }
                return new int[]{first, shortened("second", second, tooMany, options)};
            }
            default -> {
                int shorter = Math.min(first, second);
                int longer = shorter > room ? shorter : Math.max(shorter, room - shorter);
                if (!pair) {
                    return new int[]{room, 0};
                }
                if ((long) shorter + longer > room) {
                    shorter = room / 2;
                    longer = shorter + room % 2;
                }
                boolean firstIsLonger = seen(firstText, options.maxLength()) > seen(secondText, options.maxLength());
                return firstIsLonger ? new int[]{longer, shorter} : new int[]{shorter, longer};
            }
        }
    }

    /**
     * How many ids of a text the reference (tokenizers 0.23) has before it when it compares two: it stops encoding with
     * the word that reaches the maximum length. So of two very long texts the second counts as the longer, and gets the
     * odd id.
     */
    private static int seen(EncodedText text, int maxLength) {
        int seen = Math.min(maxLength, text.size());
        while (seen < text.size() && text.words()[seen] == text.words()[seen - 1]) {
            seen++;
        }
        return seen;
    }

    private static int shortened(String which, int size, long tooMany, EncodingOptions options) {
        if (size <= tooMany) {
            throw new IllegalArgumentException("the " + which + " text has " + size + " ids, and " + tooMany
                    + " of it would have to go to keep within " + options.maxLength()
                    + ", expected a longer maximum length or another truncation");
        }
        return (int) (size - tooMany);
    }

    private List<Range> parts(int size, int keep, int stride, boolean all) {
        if (keep >= size) {
            return List.of(new Range(0, size));
        }
        if (!all) {
            return List.of(truncateLeft ? new Range(size - keep, size) : new Range(0, keep));
        }
        if (stride >= keep) {
            throw new IllegalArgumentException("a window has room for " + keep + " ids of a text and the stride is "
                    + stride + ", expected a smaller stride or a larger maximum length");
        }
        List<Range> parts = new ArrayList<>();
        int step = keep - stride;
        if (truncateLeft) {
            for (long to = size;; to -= step) {
                parts.add(new Range((int) Math.max(0, to - keep), (int) to));
                if (to <= keep) {
                    return parts;
                }
            }
        }
        for (long from = 0;; from += step) {
            parts.add(new Range((int) from, (int) Math.min(from + keep, size)));
            if (from + keep >= size) {
                return parts;
            }
        }
    }

    private Encoding join(List<Template.Piece> pieces, EncodedText first, Range firstPart, EncodedText second,
            Range secondPart, EncodingOptions options, boolean truncated) {
        int size = 0;
        for (Template.Piece piece : pieces) {
            size = Math.addExact(size, length(piece, firstPart, secondPart, options));
        }
        int[] ids = new int[size];
        int[] types = new int[size];
        int[] attention = new int[size];
        int[] texts = new int[size];
        int[] words = new int[size];
        Offsets offsets = Offsets.none(size);
        Arrays.fill(attention, 1);
        int at = 0;
        for (Template.Piece piece : pieces) {
            int count = length(piece, firstPart, secondPart, options);
            Arrays.fill(types, at, at + count, piece.type());
            Arrays.fill(texts, at, at + count, piece.text());
            if (piece.text() < 0) {
                System.arraycopy(piece.ids(), 0, ids, at, count);
                Arrays.fill(words, at, at + count, -1);
            } else {
                EncodedText text = piece.text() == 0 ? first : second;
                int from = (piece.text() == 0 ? firstPart : secondPart).from();
                System.arraycopy(text.ids(), from, ids, at, count);
                System.arraycopy(text.words(), from, words, at, count);
                text.offsets().copy(from, offsets, at, count);
            }
            at += count;
        }
        return new Encoding(names, ids, types, attention, texts, words, offsets, truncated);
    }

    private static int length(Template.Piece piece, Range first, Range second, EncodingOptions options) {
        return switch (piece.text()) {
            case 0 -> first.size();
            case 1 -> second.size();
            default -> options.specialTokens() ? piece.ids().length : 0;
        };
    }
}
