package org.vecformer.loader.convert;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.vecformer.loader.DType;
import org.vecformer.loader.FormatException;

/**
 * The weights of an ONNX file (onnx.proto3 of github.com/onnx/onnx): the initializers of its graph. Of the graph itself
 * only that is read which PyTorch's exporter takes away from the weights: a linear layer's matrix loses its name and is
 * transposed, and gets both back from the node that multiplies with it, {@code /encoder/layer.0/output/dense/MatMul}.
 */
final class OnnxFile implements WeightSource {
    static final String SUFFIX = ".onnx";
    /** What the name of a matrix that a node multiplies with from the right ends with here: it has inputs as rows. */
    static final String PRODUCT = "/MatMul";

    private static final int FLOAT = 1;
    private static final int MAX_PARTS = 1_000_000;
    private static final int MAX_NODE_BYTES = 64 << 20;
    private static final int MAX_NAME_BYTES = 4096;
    private static final int MAX_DIMENSIONS = 32;
    private static final int BUFFER = 1 << 16;

    private final ByteSource bytes;
    private final Map<String, Initializer> initializers = new LinkedHashMap<>();
    private final List<SourceTensor> tensors = new ArrayList<>();
    private final Map<String, Initializer> byTensor = new HashMap<>();
    private final List<String> others = new ArrayList<>();
    private final Map<String, Float> scalars = new HashMap<>();
    private final List<Node> nodes = new ArrayList<>();

    private record Initializer(String name, int type, List<Long> shape, long begin, long length) {}

    private record Node(String name, String operation, List<String> inputs, List<String> outputs) {}

    /** The bytes stay their opener's to close. */
    OnnxFile(ByteSource bytes) throws IOException {
        this.bytes = bytes;
        try {
            readModel();
        } catch (ProtobufReader.Fault e) {
            throw bytes.error("this is no ONNX file: " + e.getMessage());
        }
        if (initializers.isEmpty()) {
            throw bytes.error("this is no ONNX file with weights: its graph has no initializers");
        }
        Map<String, String> names = new HashMap<>();
        for (Node node : nodes) {
            if (node.operation.equals("MatMulInteger") || node.operation.equals("QLinearMatMul")) {
                throw bytes.error("the weights are quantized (node " + FormatException.quote(node.name) + " is a "
                        + node.operation + "), expected an ONNX file of floating-point numbers");
            }
            if (node.operation.equals("MatMul") && node.inputs.size() == 2 && node.name.startsWith("/")
                    && node.name.endsWith(PRODUCT) && initializers.containsKey(node.inputs.get(1))) {
                names.putIfAbsent(node.inputs.get(1), node.name.substring(1));
            }
        }
        for (Initializer initializer : initializers.values()) {
            DType dtype = dtype(initializer.type);
            if (dtype == null) {
                others.add(initializer.name + " (ONNX type " + initializer.type + ")");
                continue;
            }
            checkSize(initializer, dtype);
            String name = names.getOrDefault(initializer.name, initializer.name);
            if (byTensor.put(name, initializer) != null) {
                throw bytes.error("there are two tensors " + FormatException.quote(name) + ", expected one");
            }
            tensors.add(new SourceTensor(name, dtype, initializer.shape, initializer.length));
        }
    }

    private static DType dtype(int type) {
        return switch (type) {
            case FLOAT -> DType.F32;
            case 2 -> DType.U8;
            case 3 -> DType.I8;
            case 6 -> DType.I32;
            case 7 -> DType.I64;
            case 10 -> DType.F16;
            case 11 -> DType.F64;
            case 16 -> DType.BF16;
            default -> null;
        };
    }

    private void checkSize(Initializer initializer, DType dtype) throws FormatException {
        long size = dtype.bits() / Byte.SIZE;
        try {
            for (long dimension : initializer.shape) {
                size = Math.multiplyExact(size, dimension);
            }
        } catch (ArithmeticException _) {
            size = -1;
        }
        if (size != initializer.length) {
            throw bytes.error("tensor " + FormatException.quote(initializer.name) + " is " + dtype + " "
                    + initializer.shape + " and has " + initializer.length + " bytes"
                    + (size < 0 ? "" : ", expected " + size));
        }
    }

    /** The size of an attention head: scores are divided by its square root. Empty if the graph does not show it. */
    OptionalInt headSize() {
        for (Node node : nodes) {
            if (node.operation.equals("Div") && node.name.contains("/attention/self/") && node.inputs.size() == 2
                    && scalars.containsKey(node.inputs.get(1))) {
                double divisor = scalars.get(node.inputs.get(1));
                long size = Math.round(divisor * divisor);
                if (size >= 1 && size <= 1 << 16 && Math.abs(Math.sqrt(size) - divisor) < 1e-4 * divisor) {
                    return OptionalInt.of((int) size);
                }
            }
        }
        return OptionalInt.empty();
    }

    // ---- the messages ModelProto, GraphProto, NodeProto, TensorProto

    private void readModel() throws IOException, ProtobufReader.Fault {
        Message model = new Message(0, bytes.size());
        boolean graph = false;
        for (int field = model.next(); field != 0; field = model.next()) {
            if (field == 7 && model.isLengthDelimited()) {
                readGraph(model.inside());
                graph = true;
            }
        }
        if (!graph) {
            throw new ProtobufReader.Fault("there is no graph in it");
        }
    }

    private void readGraph(Message graph) throws IOException, ProtobufReader.Fault {
        for (int field = graph.next(); field != 0; field = graph.next()) {
            if (nodes.size() + initializers.size() > MAX_PARTS) {
                throw new ProtobufReader.Fault("the graph has more than " + MAX_PARTS + " parts");
            }
            if (field == 1 && graph.isLengthDelimited()) {
                readNode(new ProtobufReader(graph.read(MAX_NODE_BYTES)));
            } else if (field == 5 && graph.isLengthDelimited()) {
                Initializer initializer = readTensor(graph.inside());
                if (initializers.put(initializer.name, initializer) != null) {
                    throw new ProtobufReader.Fault(
                            "there are two initializers " + FormatException.quote(initializer.name));
                }
            }
        }
    }

    private void readNode(ProtobufReader message) throws ProtobufReader.Fault {
        String name = "";
        String operation = "";
        List<String> inputs = new ArrayList<>();
        List<String> outputs = new ArrayList<>();
        Float scalar = null;
        for (int field = message.next(); field != 0; field = message.next()) {
            switch (field) {
                case 1 -> inputs.add(text(message));
                case 2 -> outputs.add(text(message));
                case 3 -> name = text(message);
                case 4 -> operation = text(message);
                case 5 -> scalar = scalar(message.asMessage());
                default -> {
                    // Domains and descriptions.
                }
            }
        }
        nodes.add(new Node(name, operation, List.copyOf(inputs), List.copyOf(outputs)));
        if (operation.equals("Constant") && scalar != null && outputs.size() == 1) {
            scalars.put(outputs.getFirst(), scalar);
        }
    }

    private static String text(ProtobufReader field) throws ProtobufReader.Fault {
        return new String(field.asBytes(), StandardCharsets.UTF_8);
    }

    /** The one float of an attribute's tensor (AttributeProto.t); null if it is anything else. */
    private static Float scalar(ProtobufReader attribute) throws ProtobufReader.Fault {
        for (int field = attribute.next(); field != 0; field = attribute.next()) {
            if (field != 5) {
                continue;
            }
            ProtobufReader tensor = attribute.asMessage();
            long type = 0;
            byte[] raw = {};
            for (int part = tensor.next(); part != 0; part = tensor.next()) {
                if (part == 2) {
                    type = tensor.asLong();
                } else if (part == 9) {
                    raw = tensor.asBytes();
                }
            }
            return type == FLOAT && raw.length == Float.BYTES
                    ? ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN).getFloat()
                    : null;
        }
        return null;
    }

    private Initializer readTensor(Message tensor) throws IOException, ProtobufReader.Fault {
        List<Long> shape = new ArrayList<>();
        int type = 0;
        String name = "";
        long begin = 0;
        long length = 0;
        for (int field = tensor.next(); field != 0; field = tensor.next()) {
            switch (field) {
                case 1 -> {
                    if (tensor.isLengthDelimited()) {
                        Message packed = tensor.inside();
                        while (packed.hasMore()) {
                            shape.add(packed.varint());
                        }
                    } else {
                        shape.add(tensor.number());
                    }
                }
                case 2 -> type = (int) tensor.number();
                case 8 -> name = new String(tensor.read(MAX_NAME_BYTES), StandardCharsets.UTF_8);
                // float_data is packed and little-endian, as raw_data is.
                case 4, 9 -> {
                    begin = tensor.begin();
                    length = tensor.length();
                }
                case 13, 14 -> {
                    if (field == 13 || tensor.number() != 0) {
                        throw bytes.error("tensor " + FormatException.quote(name) + " has its bytes in another file;"
                                + " expected an ONNX file that has them itself");
                    }
                }
                default -> {
                    // Numbers of other types in fields of their own: no weights.
                }
            }
            if (shape.size() > MAX_DIMENSIONS) {
                throw new ProtobufReader.Fault("a tensor has more than " + MAX_DIMENSIONS + " dimensions");
            }
        }
        if (shape.stream().anyMatch(dimension -> dimension < 0)) {
            throw new ProtobufReader.Fault("a tensor has the shape " + shape);
        }
        return new Initializer(name, type, List.copyOf(shape), begin, length);
    }

    /** The fields of a message that is too long to be held in memory. */
    private final class Message {
        private final long end;
        private long at;
        private boolean lengthDelimited;
        private long number;
        private long begin;

        Message(long from, long to) {
            at = from;
            end = to;
        }

        boolean hasMore() {
            return at < end;
        }

        /** Goes to the next field; its number, or 0 at the end. */
        int next() throws IOException, ProtobufReader.Fault {
            if (!hasMore()) {
                return 0;
            }
            long tag = varint();
            long field = tag >>> 3;
            if (field < 1 || field > Integer.MAX_VALUE) {
                throw new ProtobufReader.Fault("a field has the number " + Long.toUnsignedString(field));
            }
            lengthDelimited = false;
            switch ((int) (tag & 7)) {
                case 0 -> number = varint();
                case 1 -> skip(field, Long.BYTES);
                case 5 -> skip(field, Integer.BYTES);
                case 2 -> {
                    long length = varint();
                    begin = at;
                    skip(field, length);
                    lengthDelimited = true;
                }
                default -> throw new ProtobufReader.Fault("field " + field + " has an unknown wire type");
            }
            return (int) field;
        }

        private void skip(long field, long length) throws ProtobufReader.Fault {
            if (length < 0 || length > end - at) {
                throw new ProtobufReader.Fault("field " + field + " runs beyond its message; the file is cut short");
            }
            at += length;
        }

        boolean isLengthDelimited() {
            return lengthDelimited;
        }

        long begin() throws ProtobufReader.Fault {
            requireLength();
            return begin;
        }

        long length() throws ProtobufReader.Fault {
            requireLength();
            return at - begin;
        }

        private void requireLength() throws ProtobufReader.Fault {
            if (!lengthDelimited) {
                throw new ProtobufReader.Fault("a field is a number, expected bytes");
            }
        }

        long number() throws ProtobufReader.Fault {
            if (lengthDelimited) {
                throw new ProtobufReader.Fault("a field is bytes, expected a number");
            }
            return number;
        }

        Message inside() throws ProtobufReader.Fault {
            requireLength();
            return new Message(begin, at);
        }

        byte[] read(int limit) throws IOException, ProtobufReader.Fault {
            if (length() > limit) {
                throw new ProtobufReader.Fault("a field has " + length() + " bytes, expected at most " + limit);
            }
            byte[] field = new byte[(int) length()];
            for (int i = 0; i < field.length; i++) {
                field[i] = byteAt(begin + i);
            }
            return field;
        }

        long varint() throws IOException, ProtobufReader.Fault {
            long value = 0;
            for (int shift = 0; shift < 70; shift += 7) {
                if (!hasMore()) {
                    throw new ProtobufReader.Fault("a number runs beyond its message; the file is cut short");
                }
                byte next = byteAt(at++);
                value |= (next & 0x7FL) << shift;
                if (next >= 0) {
                    return value;
                }
            }
            throw new ProtobufReader.Fault("a number has more than 10 bytes");
        }
    }

    private final byte[] window = new byte[BUFFER];
    private long windowBegin;
    private int windowLength;

    private byte byteAt(long position) throws IOException {
        if (position < windowBegin || position >= windowBegin + windowLength) {
            windowBegin = position;
            windowLength = (int) Math.min(BUFFER, bytes.size() - position);
            bytes.read(position, ByteBuffer.wrap(window, 0, windowLength));
        }
        return window[(int) (position - windowBegin)];
    }

    @Override
    public String format() {
        return "ONNX file";
    }

    @Override
    public String name() {
        return bytes.name();
    }

    @Override
    public List<SourceTensor> tensors() {
        return Collections.unmodifiableList(tensors);
    }

    @Override
    public List<String> others() {
        return Collections.unmodifiableList(others);
    }

    @Override
    public TensorReader open(SourceTensor tensor) {
        Initializer initializer = byTensor.get(tensor.name());
        return new TensorReader() {
            private long done;

            @Override
            public void next(MemorySegment destination) throws IOException {
                bytes.read(initializer.begin + done, destination.asByteBuffer());
                done += destination.byteSize();
            }
        };
    }

    @Override
    public void close() {
        // The bytes are not this object's.
    }
}
