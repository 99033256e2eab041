package org.vecformer.loader;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The header of a safetensors file, parsed and checked: 8 bytes of length (little-endian), that many bytes of JSON,
 * then the tensors' bytes without holes or overlaps up to the end of the file.
 *
 * <p>What is accepted is what the format's own implementation (the Rust crate, 0.8.0) accepts, down to the habits of
 * its JSON library: of a tensor that is named twice the last counts, unknown fields of a tensor are skipped, a known
 * field given twice is an error.
 *
 * @param tensors in the order of their bytes
 * @param metadata the texts of {@code __metadata__}, empty if there are none
 */
record SafetensorsHeader(List<TensorInfo> tensors, Map<String, String> metadata) {
    /** Bytes of the length field. */
    static final int LENGTH_BYTES = 8;
    /** Longest header that the format's own implementation reads. */
    static final long MAX_LENGTH = 100_000_000;

    static final String METADATA = "__metadata__";

    /** No tensor has this many bits: types have an even number of them. */
    private static final long OVERFLOW = -1;

    /** A tensor as the header gives it; numbers are unsigned. */
    private record Entry(String name, DType dtype, long[] shape, long begin, long end)
            implements
                Comparable<Entry> {

        List<Long> dimensions() {
            List<Long> dimensions = new ArrayList<>(shape.length);
            for (long dimension : shape) {
                dimensions.add(dimension);
            }
            return dimensions;
        }

        /** The order of the bytes; of tensors that begin at one place, those without bytes come first. */
        @Override
        public int compareTo(Entry other) {
            int order = Long.compareUnsigned(begin, other.begin);
            return order != 0 ? order : Long.compareUnsigned(end, other.end);
        }

        String offsets() {
            return "data_offsets of tensor " + FormatException.quote(name) + " are [" + Long.toUnsignedString(begin)
                    + ", " + Long.toUnsignedString(end) + "]";
        }

        String type() {
            return "tensor " + FormatException.quote(name) + " is "
                    + FormatException.plain(TensorInfo.describe(dtype, dimensions()));
        }
    }

    /** Reads and checks the header of an open file. */
    static SafetensorsHeader read(WindowedFile file) throws IOException {
        long length = length(file);
        Map<String, Entry> entries = new LinkedHashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        try (JsonParser parser = Json.parser(file.inputStream(LENGTH_BYTES, length))) {
            new Parse(file.path(), parser).header(entries, metadata);
        } catch (JsonProcessingException | CharacterCodingException e) {
            throw Json.invalid(file.path(), "the header", e);
        }
        return new SafetensorsHeader(check(file, LENGTH_BYTES + length, entries), metadata);
    }

    private static long length(WindowedFile file) throws IOException {
        Path path = file.path();
        file.refuseLfsPointer();
        if (file.size() == 0) {
            throw new FormatException(path, "the file is empty, expected a safetensors file");
        }
        if (file.size() < LENGTH_BYTES) {
            throw new FormatException(path, "the file has " + file.size()
                    + " bytes, expected at least the 8 bytes of a safetensors header length" + guess(file));
        }
        long length = ByteBuffer.wrap(file.start(LENGTH_BYTES)).order(ByteOrder.LITTLE_ENDIAN).getLong();
        if (Long.compareUnsigned(length, MAX_LENGTH) > 0) {
            throw new FormatException(path, "the header length is " + Long.toUnsignedString(length)
                    + " bytes, expected at most " + MAX_LENGTH + guess(file));
        }
        if (length > file.size() - LENGTH_BYTES) {
            throw new FormatException(path, "the header length is " + length + " bytes, but only "
                    + (file.size() - LENGTH_BYTES) + " bytes follow; the file is cut short or no safetensors file"
                    + guess(file));
        }
        return length;
    }

    /** What a file that is no safetensors file may be instead, for the message. */
    private static String guess(WindowedFile file) throws IOException {
        String start = new String(file.start(16), StandardCharsets.ISO_8859_1);
        if (start.startsWith("GGUF")) {
            return " (this looks like a GGUF file)";
        } else if (start.startsWith("PK\u0003\u0004") || start.startsWith("\u0080\u0002")) {
            return " (this looks like a PyTorch checkpoint; convert it to safetensors)";
        } else if (start.startsWith("<")) {
            return " (this looks like a web page, saved in place of the file)";
        } else if (start.startsWith("{")) {
            return " (this looks like JSON without the length before it)";
        } else if (start.startsWith("\u001f\u008b")) {
            return " (this looks like a gzip file)";
        }
        return "";
    }

    private static List<TensorInfo> check(WindowedFile file, long dataStart, Map<String, Entry> entries)
            throws FormatException {
        Path path = file.path();
        long dataSize = file.size() - dataStart;
        List<Entry> sorted = new ArrayList<>(entries.values());
        sorted.sort(null);
        List<TensorInfo> tensors = new ArrayList<>(sorted.size());
        long next = 0;
        for (Entry entry : sorted) {
            String problem = problem(entry, next, dataSize);
            if (problem != null) {
                throw new FormatException(path, problem);
            }
            tensors.add(new TensorInfo(entry.name, entry.dtype, entry.dimensions(), dataStart + entry.begin,
                    entry.end - entry.begin));
            next = entry.end;
        }
        if (next != dataSize) {
            throw new FormatException(path, "the tensors have " + next + " bytes, but " + dataSize
                    + " bytes follow the header, expected the same");
        }
        return List.copyOf(tensors);
    }

    /** What is wrong with a tensor that should begin at {@code next}; null if nothing is. */
    private static String problem(Entry entry, long next, long dataSize) {
        if (entry.begin != next) {
            return entry.offsets() + ", expected them to begin at " + next
                    + ", where the tensor before ends: the tensors "
                    + (Long.compareUnsigned(entry.begin, next) < 0 ? "overlap" : "leave a hole");
        }
        if (Long.compareUnsigned(entry.end, entry.begin) < 0) {
            return entry.offsets() + ", expected the end not to lie before the begin";
        }
        if (Long.compareUnsigned(entry.end, dataSize) > 0) {
            return entry.offsets() + ", but only " + dataSize
                    + " bytes follow the header; the file is cut short or the offsets are wrong";
        }
        long bits = bits(entry);
        if (bits == OVERFLOW) {
            return entry.type() + ", which is more than 2^64 - 1 bits";
        }
        if (bits % Byte.SIZE != 0) {
            return entry.type() + ", " + Long.toUnsignedString(bits) + " bits, expected whole bytes";
        }
        long bytes = bits >>> 3;
        if (bytes != entry.end - entry.begin) {
            return entry.type() + ", " + bytes + " bytes, but its data_offsets [" + entry.begin + ", " + entry.end
                    + "] span " + (entry.end - entry.begin) + " bytes";
        }
        return null;
    }

    /**
     * Elements times bits as an unsigned number. The order of the dimensions matters as it does in the format's own
     * implementation: once a 0 came, nothing overflows any more.
     */
    private static long bits(Entry entry) {
        long product = 1;
        for (long dimension : entry.shape) {
            if (Math.unsignedMultiplyHigh(product, dimension) != 0) {
                return OVERFLOW;
            }
            product *= dimension;
        }
        return Math.unsignedMultiplyHigh(product, entry.dtype.bits()) != 0 ? OVERFLOW : product * entry.dtype.bits();
    }

    /** One pass over the header's JSON. */
    private static final class Parse {
        private final Path path;
        private final JsonParser parser;
        /** The tensor whose fields are being read, for messages. */
        private String tensor;

        Parse(Path path, JsonParser parser) {
            this.path = path;
            this.parser = parser;
        }

        void header(Map<String, Entry> entries, Map<String, String> metadata) throws IOException {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new FormatException(path,
                        "the header holds " + Json.describe(parser) + ", expected a JSON object");
            }
            boolean metadataSeen = false;
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = Json.text(parser);
                parser.nextToken();
                if (!name.equals(METADATA)) {
                    entries.put(name, entry(name));
                } else if (metadataSeen) {
                    throw new FormatException(path, METADATA + " stands twice in the header");
                } else {
                    metadata(metadata);
                    metadataSeen = true;
                }
            }
            if (parser.nextToken() != null) {
                throw new FormatException(path,
                        "the header holds " + Json.describe(parser) + " after its JSON object, expected spaces only");
            }
        }

        private void metadata(Map<String, String> metadata) throws IOException {
            if (parser.currentToken() == JsonToken.VALUE_NULL) {
                return;
            }
            if (parser.currentToken() != JsonToken.START_OBJECT) {
                throw unexpected(METADATA, "an object of texts");
            }
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String key = Json.text(parser);
                if (parser.nextToken() != JsonToken.VALUE_STRING) {
                    throw unexpected(METADATA + " " + FormatException.quote(key), "text");
                }
                metadata.put(key, Json.text(parser));
            }
        }

        private Entry entry(String name) throws IOException {
            tensor = name;
            DType dtype = null;
            long[] shape = null;
            long[] offsets = null;
            if (parser.currentToken() == JsonToken.START_ARRAY) {
                // The format's own implementation also takes a tensor's fields as a list, in this order.
                parser.nextToken();
                dtype = dtype();
                parser.nextToken();
                shape = numbers("shape");
                parser.nextToken();
                offsets = numbers("data_offsets");
                if (parser.nextToken() != JsonToken.END_ARRAY) {
                    throw unexpected(tensor(), "a list of dtype, shape and data_offsets only");
                }
            } else if (parser.currentToken() == JsonToken.START_OBJECT) {
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String field = Json.text(parser);
                    parser.nextToken();
                    switch (field) {
                        case "dtype" -> {
                            refuseSecond(field, dtype);
                            dtype = dtype();
                        }
                        case "shape" -> {
                            refuseSecond(field, shape);
                            shape = numbers(field);
                        }
                        case "data_offsets" -> {
                            refuseSecond(field, offsets);
                            offsets = numbers(field);
                        }
                        default -> skip();
                    }
                }
            } else {
                throw unexpected(tensor(), "an object with dtype, shape and data_offsets");
            }
            if (dtype == null || shape == null || offsets == null) {
                String missing = dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets";
                throw new FormatException(path, tensor() + " has no " + missing);
            }
            if (offsets.length != 2) {
                throw new FormatException(path, "data_offsets of " + tensor() + " has " + offsets.length
                        + " numbers, expected 2: begin and end");
            }
            return new Entry(name, dtype, shape, offsets[0], offsets[1]);
        }

        private String tensor() {
            return "tensor " + FormatException.quote(tensor);
        }

        private void refuseSecond(String field, Object first) throws FormatException {
            if (first != null) {
                throw new FormatException(path, tensor() + " has two fields " + field + ", expected one");
            }
        }

        /** A type's name; the format's own implementation also takes an object of the name and null. */
        private DType dtype() throws IOException {
            JsonToken token = parser.currentToken();
            boolean inObject = token == JsonToken.START_OBJECT;
            if (inObject) {
                token = parser.nextToken();
            }
            if (token != (inObject ? JsonToken.FIELD_NAME : JsonToken.VALUE_STRING)) {
                throw unexpected("dtype of " + tensor(), "text");
            }
            String name = Json.text(parser);
            if (inObject && (parser.nextToken() != JsonToken.VALUE_NULL
                    || parser.nextToken() != JsonToken.END_OBJECT)) {
                throw unexpected("dtype of " + tensor(), "text");
            }
            Optional<DType> dtype = DType.named(name);
            if (dtype.isEmpty()) {
                throw new FormatException(path, "dtype of " + tensor() + " is " + FormatException.quote(name)
                        + ", expected one of " + Arrays.toString(DType.values()));
            }
            return dtype.get();
        }

        /** A list of unsigned 64-bit numbers. */
        private long[] numbers(String field) throws IOException {
            if (parser.currentToken() != JsonToken.START_ARRAY) {
                throw unexpected(field + " of " + tensor(), "a list of whole numbers");
            }
            long[] numbers = new long[4];
            int count = 0;
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT || parser.getText().startsWith("-")) {
                    throw unexpected(field + " of " + tensor(), "whole numbers of at least 0");
                }
                if (count == numbers.length) {
                    numbers = Arrays.copyOf(numbers, 2 * count);
                }
                try {
                    numbers[count++] = Long.parseUnsignedLong(parser.getText());
                } catch (NumberFormatException _) {
                    throw unexpected(field + " of " + tensor(), "whole numbers below 2^64");
                }
            }
            return Arrays.copyOf(numbers, count);
        }

        /** Passes over a value, and yet refuses in it what a parser that keeps it would refuse. */
        private void skip() throws IOException {
            int depth = 0;
            do {
                switch (parser.currentToken()) {
                    case START_OBJECT, START_ARRAY -> depth++;
                    case END_OBJECT, END_ARRAY -> depth--;
                    case FIELD_NAME, VALUE_STRING -> Json.text(parser);
                    case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> {
                        if (Double.isInfinite(Double.parseDouble(parser.getText()))) {
                            throw new Json.JsonFault(parser, "a number out of range");
                        }
                    }
                    default -> {
                    }
                }
            } while (depth > 0 && parser.nextToken() != null);
        }

        private FormatException unexpected(String what, String expected) throws IOException {
            return new FormatException(path,
                    what + " is or contains " + Json.describe(parser) + ", expected " + expected);
        }
    }
}
