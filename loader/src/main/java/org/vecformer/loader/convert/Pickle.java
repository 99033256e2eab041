package org.vecformer.loader.convert;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.vecformer.loader.DType;
import org.vecformer.loader.FormatException;

/**
 * Reads what {@code torch.save} pickles of weights, and nothing else: a closed list of the pickle machine's opcodes
 * (Python's Lib/pickletools.py) and of types. No code is run; a pickle that names anything else is refused.
 *
 * <p>Values are {@link Long}, {@link BigInteger}, {@link Double}, {@link Boolean}, {@link String}, {@link #NONE},
 * {@code List<Object>} for lists and tuples, {@code Map<Object, Object>} with texts and whole numbers as keys,
 * {@link Global}, {@link Storage} and {@link View}. They may hold each other in circles: nobody here walks into them.
 */
final class Pickle {
    /** Python's None. */
    static final Object NONE = new Object();

    /** A pickle of weights takes some 30 opcodes a tensor; each costs some 100 bytes of memory at most. */
    private static final int MAX_OPERATIONS = 1_000_000;
    private static final int MAX_TEXT = 1 << 16;
    private static final long MAX_TEXTS = 64 << 20;
    private static final int MAX_DIMENSIONS = 64;
    private static final int BUFFER = 1 << 13;

    private static final Map<String, DType> STORAGES = Map.of(
            "FloatStorage", DType.F32, "DoubleStorage", DType.F64, "HalfStorage", DType.F16, "BFloat16Storage",
            DType.BF16, "LongStorage", DType.I64, "IntStorage", DType.I32, "ShortStorage", DType.I16, "CharStorage",
            DType.I8, "ByteStorage", DType.U8, "BoolStorage", DType.BOOL);

    private static final Global ORDERED_DICT = new Global("collections", "OrderedDict");
    private static final Global REBUILD_TENSOR = new Global("torch._utils", "_rebuild_tensor_v2");
    private static final Global REBUILD_TENSOR_1 = new Global("torch._utils", "_rebuild_tensor");
    private static final Global REBUILD_PARAMETER = new Global("torch._utils", "_rebuild_parameter");

    /** A function or a class, by its name. */
    record Global(String module, String name) {
        boolean isStorage() {
            return module.equals("torch") && STORAGES.containsKey(name);
        }
    }

    /**
     * Elements in a file.
     *
     * @param key names the bytes within the checkpoint
     * @param elements how many elements the bytes are
     * @param begin where a view into those bytes begins, in elements; old files have such views
     */
    record Storage(DType dtype, String key, long elements, long begin) {}

    /** A tensor: elements of a storage from an offset on, a stride between neighbours in each dimension. */
    record View(Storage storage, long offset, List<Long> shape, List<Long> strides) {

        long elements() {
            return shape.stream().reduce(1L, Math::multiplyExact);
        }

        /** Whether the elements lie in the storage as they are numbered. */
        boolean isContiguous() {
            long expected = 1;
            for (int i = shape.size() - 1; i >= 0; i--) {
                if (shape.get(i) != 1 && strides.get(i) != expected) {
                    return elements() == 0;
                }
                expected *= shape.get(i);
            }
            return true;
        }
    }

    private final ByteSource source;
    private final long end;
    private final byte[] buffer = new byte[BUFFER];
    private int inBuffer;
    private int buffered;
    private long position;
    private int operations;
    private long texts;
    private List<Object> stack = new ArrayList<>();
    private List<Integer> marks = new ArrayList<>();
    private Map<Long, Object> memo = new HashMap<>();

    /** Reads pickles from the front of these bytes on. */
    Pickle(ByteSource source) {
        this.source = source;
        this.end = source.size();
    }

    /** Where the next pickle or what follows it begins. */
    long position() {
        return position - buffered + inBuffer;
    }

    /**
     * The value of the next pickle.
     *
     * @throws FormatException if it is damaged, or names a type or uses an opcode that weights do not need
     */
    Object read() throws IOException {
        stack = new ArrayList<>();
        marks = new ArrayList<>();
        memo = new HashMap<>();
        while (true) {
            if (++operations > MAX_OPERATIONS) {
                throw damaged("there are more than " + MAX_OPERATIONS + " operations");
            }
            int opcode = u8();
            if (opcode == '.') {
                Object value = pop();
                stack = new ArrayList<>();
                memo = new HashMap<>();
                return value;
            }
            execute(opcode);
        }
    }

    private void execute(int opcode) throws IOException {
        switch (opcode) {
            case 0x80 -> protocol(u8());
            case 0x95 -> number(8);
            case '(' -> marks.add(stack.size());
            case 'N' -> push(NONE);
            case 0x88 -> push(true);
            case 0x89 -> push(false);
            case 'J' -> push((long) (int) number(4));
            case 'K' -> push(number(1));
            case 'M' -> push(number(2));
            case 0x8a -> push(longNumber(u8()));
            case 'G' -> push(Double.longBitsToDouble(Long.reverseBytes(number(8))));
            case 'X', 'T' -> push(text(number(4)));
            case 'U', 0x8c -> push(text(number(1)));
            case 0x8d -> push(text(number(8)));
            case ')', ']' -> push(new ArrayList<>(0));
            case 0x85 -> push(popLast(1));
            case 0x86 -> push(popLast(2));
            case 0x87 -> push(popLast(3));
            case 't' -> push(popToMark());
            case '}' -> push(new LinkedHashMap<>());
            case 'a' -> append(popLast(1));
            case 'e' -> append(popToMark());
            case 's' -> setItems(popLast(2));
            case 'u' -> setItems(popToMark());
            case 'q' -> memo.put(number(1), top());
            case 'r' -> memo.put(number(4), top());
            case 0x94 -> memo.put((long) memo.size(), top());
            case 'h' -> push(remembered(number(1)));
            case 'j' -> push(remembered(number(4)));
            case 'c' -> push(global(line(), line()));
            case 0x93 -> {
                Object name = pop();
                push(global(asText(pop()), asText(name)));
            }
            case 'Q' -> push(persistent(asList(pop())));
            case 'R' -> {
                List<Object> arguments = asList(pop());
                push(call(pop(), arguments));
            }
            case 'b' -> build();
            default -> throw source.error("the pickle uses the operation 0x" + Integer.toHexString(opcode)
                    + " at byte " + (position() - 1) + ", which weights do not need; it is not executed");
        }
    }

    private void protocol(int version) throws FormatException {
        if (version < 2 || version > 5) {
            throw damaged("the pickle has the protocol " + version + ", expected 2 to 5");
        }
    }

    /** Attributes of a dictionary, such as the version numbers of modules, say nothing about weights. */
    private void build() throws FormatException {
        pop();
        if (!(top() instanceof Map)) {
            throw damaged("attributes are set on what is no dictionary");
        }
    }

    private Global global(String module, String name) throws FormatException {
        Global global = new Global(module, name);
        if (global.isStorage() || global.equals(ORDERED_DICT) || global.equals(REBUILD_TENSOR)
                || global.equals(REBUILD_TENSOR_1) || global.equals(REBUILD_PARAMETER)) {
            return global;
        }
        throw source.error("the pickle names " + FormatException.quote(module + "." + name)
                + ", expected only tensors, storages, ordered dictionaries and plain values; nothing of it is run"
                + (module.startsWith("__torch__") ? " (this looks like TorchScript; save the state_dict)" : ""));
    }

    private Object call(Object function, List<Object> arguments) throws FormatException {
        if (ORDERED_DICT.equals(function)) {
            return orderedDictionary(arguments);
        }
        if (REBUILD_TENSOR.equals(function) || REBUILD_TENSOR_1.equals(function)) {
            return view(arguments);
        }
        if (REBUILD_PARAMETER.equals(function) && !arguments.isEmpty() && arguments.getFirst() instanceof View view) {
            return view;
        }
        throw damaged("something else than a function of weights is called");
    }

    private Map<Object, Object> orderedDictionary(List<Object> arguments) throws FormatException {
        Map<Object, Object> dictionary = new LinkedHashMap<>();
        if (!arguments.isEmpty()) {
            for (Object pair : asList(arguments.getFirst())) {
                List<Object> keyAndValue = asList(pair);
                require(keyAndValue.size() == 2, "an ordered dictionary is not made of pairs");
                dictionary.put(asKey(keyAndValue.getFirst()), keyAndValue.getLast());
                operations++;
            }
        }
        return dictionary;
    }

    private View view(List<Object> arguments) throws FormatException {
        require(arguments.size() >= 4 && arguments.getFirst() instanceof Storage,
                "a tensor is not made of a storage, an offset, sizes and strides");
        Storage storage = (Storage) arguments.getFirst();
        long offset = asLong(arguments.get(1));
        List<Long> shape = asLongs(arguments.get(2));
        List<Long> strides = asLongs(arguments.get(3));
        require(shape.size() == strides.size(), "a tensor has another number of sizes than of strides");
        try {
            long last = offset;
            long elements = 1;
            for (int i = 0; i < shape.size(); i++) {
                elements = Math.multiplyExact(elements, shape.get(i));
                last = Math.addExact(last, Math.multiplyExact(Math.max(0, shape.get(i) - 1), strides.get(i)));
            }
            require(offset >= 0 && (elements == 0 || last < storage.elements), "a tensor of the shape " + shape
                    + " goes beyond its storage of " + storage.elements + " elements");
        } catch (ArithmeticException _) {
            throw damaged("a tensor has the shape " + shape + ", which is more than any file holds");
        }
        return new View(storage, offset, shape, strides);
    }

    /** The only persistent ids are storages. */
    private Storage persistent(List<Object> id) throws FormatException {
        require(id.size() >= 5 && "storage".equals(id.getFirst()) && id.get(1) instanceof Global global
                && global.isStorage(), "a persistent id is no storage");
        DType dtype = STORAGES.get(((Global) id.get(1)).name);
        String key = String.valueOf(asKey(id.get(2)));
        long elements = asLong(id.get(4));
        long begin = 0;
        if (id.size() > 5 && id.get(5) != NONE) {
            List<Object> view = asList(id.get(5));
            require(view.size() == 3, "a storage's view has not 3 parts");
            begin = asLong(view.get(1));
            long length = asLong(view.get(2));
            require(begin >= 0 && length >= 0 && length <= elements && begin <= elements - length,
                    "a storage's view goes beyond it");
            elements = length;
        }
        require(elements >= 0, "a storage has " + elements + " elements");
        return new Storage(dtype, key, elements, begin);
    }

    private void append(List<Object> values) throws FormatException {
        asList(top()).addAll(values);
    }

    private void setItems(List<Object> items) throws FormatException {
        if (!(top() instanceof Map<?, ?>)) {
            throw damaged("items are put into what is no dictionary");
        }
        require(items.size() % 2 == 0, "a key has no value");
        @SuppressWarnings("unchecked")
        Map<Object, Object> dictionary = (Map<Object, Object>) top();
        for (int i = 0; i < items.size(); i += 2) {
            dictionary.put(asKey(items.get(i)), items.get(i + 1));
        }
    }

    private Object asKey(Object value) throws FormatException {
        require(value instanceof String || value instanceof Long, "a key is neither a text nor a whole number");
        return value;
    }

    private String asText(Object value) throws FormatException {
        require(value instanceof String, "a value is not the expected text");
        return (String) value;
    }

    private long asLong(Object value) throws FormatException {
        require(value instanceof Long, "a value is not the expected whole number");
        return (Long) value;
    }

    @SuppressWarnings("unchecked")
    private List<Object> asList(Object value) throws FormatException {
        require(value instanceof List, "a value is not the expected list");
        return (List<Object>) value;
    }

    private List<Long> asLongs(Object value) throws FormatException {
        List<Object> list = asList(value);
        require(list.size() <= MAX_DIMENSIONS, "a tensor has more than " + MAX_DIMENSIONS + " dimensions");
        List<Long> numbers = new ArrayList<>(list.size());
        for (Object one : list) {
            numbers.add(asLong(one));
            require(numbers.getLast() >= 0, "a size or a stride is negative");
        }
        return Collections.unmodifiableList(numbers);
    }

    private Object remembered(long key) throws FormatException {
        Object value = memo.get(key);
        require(value != null, "nothing is remembered as " + key);
        return value;
    }

    private void push(Object value) {
        stack.add(value);
    }

    private Object top() throws FormatException {
        require(stack.size() > bottom(), "the stack is empty");
        return stack.getLast();
    }

    private Object pop() throws FormatException {
        require(stack.size() > bottom(), "the stack is empty");
        return stack.removeLast();
    }

    /** Nothing below the last mark can be taken. */
    private int bottom() {
        return marks.isEmpty() ? 0 : marks.getLast();
    }

    private List<Object> popLast(int count) throws FormatException {
        require(stack.size() - bottom() >= count, "the stack has too few values");
        return cut(stack.size() - count);
    }

    private List<Object> popToMark() throws FormatException {
        require(!marks.isEmpty(), "there is no mark");
        return cut(marks.removeLast());
    }

    private List<Object> cut(int from) {
        List<Object> tail = stack.subList(from, stack.size());
        List<Object> values = new ArrayList<>(tail);
        tail.clear();
        return values;
    }

    private Object longNumber(int count) throws IOException {
        byte[] bytes = bytes(count);
        for (int i = 0; i < count / 2; i++) {
            byte swapped = bytes[i];
            bytes[i] = bytes[count - 1 - i];
            bytes[count - 1 - i] = swapped;
        }
        BigInteger value = count == 0 ? BigInteger.ZERO : new BigInteger(bytes);
        return value.bitLength() < Long.SIZE ? (Object) value.longValue() : value;
    }

    private String text(long length) throws IOException {
        require(length >= 0 && length <= MAX_TEXT, "a text has " + length + " bytes");
        texts += length;
        require(texts <= MAX_TEXTS, "the texts have more than " + MAX_TEXTS + " bytes");
        return new String(bytes((int) length), StandardCharsets.UTF_8);
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = u8(); c != '\n'; c = u8()) {
            line.append((char) c);
            require(line.length() <= MAX_TEXT, "a name has more than " + MAX_TEXT + " characters");
        }
        return line.toString();
    }

    private byte[] bytes(int count) throws IOException {
        require(count <= end - position(), "the pickle ends within a value");
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = (byte) u8();
        }
        return bytes;
    }

    private long number(int count) throws IOException {
        long number = 0;
        for (int i = 0; i < count; i++) {
            number |= (long) u8() << 8 * i;
        }
        return number;
    }

    private int u8() throws IOException {
        if (inBuffer == buffered) {
            int count = (int) Math.min(BUFFER, end - position);
            require(count > 0, "the pickle ends before its end mark");
            source.read(position, ByteBuffer.wrap(buffer, 0, count));
            position += count;
            inBuffer = 0;
            buffered = count;
        }
        return buffer[inBuffer++] & 0xFF;
    }

    /** Goes on reading at another place. */
    void seek(long to) {
        position = to;
        inBuffer = 0;
        buffered = 0;
    }

    private void require(boolean condition, String problem) throws FormatException {
        if (!condition) {
            throw damaged(problem);
        }
    }

    private FormatException damaged(String problem) {
        return source.error(problem + "; the pickle is damaged or no checkpoint of weights");
    }
}
