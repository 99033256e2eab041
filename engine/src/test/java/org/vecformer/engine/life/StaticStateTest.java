package org.vecformer.engine.life;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.ClassModel;
import java.lang.classfile.FieldModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.foreign.MemoryLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.lang.reflect.AccessFlag;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.regex.Pattern;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import org.junit.jupiter.api.Test;

/**
 * What a process shares is immutable: two users of the library in one process cannot disturb each other, and nothing is
 * left when both are gone. Read from the compiled classes, so that a new one is looked at without being named here.
 */
class StaticStateTest {

    /**
     * What may be reached from a static field although its type could be changed: the fields that hold it, and why that
     * does no harm. An array without elements needs no reason.
     */
    private static final Map<String, List<String>> ALLOWED = Map.of(
            "a table that is filled where it is declared, and read from then on",
            List.of("WarmUp.ROWS", "WarmUp.FEW_ROWS", "SignalHandlers.OF_JVM", "SignalHandlers.OF_PROGRAM",
                    "BertCharacters.KINDS", "BertNormalizer.ASCII", "BertWords.ASCII", "ByteAlphabet.BYTES",
                    "ByteAlphabet.SYMBOLS", "PreTokenizer.LATIN"),
            "a map that is filled where it is declared, and read from then on",
            List.of("JsonSchema.FORMATS", "JsonSchema.KEYWORDS", "DType.BY_NAME", "CheckpointSearch.OTHERS",
                    "BertCharacters.CLASSES", "BertCharacters.LOWER"),
            "the first bytes of a kind of file",
            List.of("ClProgramCache.MAGIC", "WindowedFile.LFS", "ArchiveTree.MAGIC", "TextFile.POINTER"),
            "private to an object that never changes and gives it to nobody",
            List.of("CodePoints.bounds", "Sampling.makers", "SamplingContext.endTokens", "SignalHandlers.signals",
                    "Sequence.parts"),
            "keeps constants of Unicode from when they are first asked for; a race finds one twice",
            List.of("BertCharacters.DECOMPOSITIONS"),
            "thread-safe, and its table of names, the only thing in it that would grow, is switched off",
            List.of("Json.FACTORY", "JsonObject.FACTORY", "JsonReader.FACTORY"));

    /** What may be used although it is forbidden, and why. */
    private static final Map<String, String> ALLOWED_USES = Map.of(
            "org.vecformer.engine.kernel.opencl.ClLibrary uses java/lang/System.setProperty",
            "the only way to tell JOCL where its library goes; cleared as soon as that is loaded");

    /** Classes whose objects never change; our own are looked into. */
    private static final List<Class<?>> CONSTANTS = List.of(String.class, Boolean.class, Character.class, Enum.class,
            Class.class, Pattern.class, Path.class, Charset.class, ByteOrder.class, Comparator.class, VarHandle.class,
            MethodHandle.class, MemoryLayout.class, System.Logger.class, VectorSpecies.class,
            VectorOperators.Operator.class, VectorShuffle.class, VectorMask.class, Vector.class);

    private static final List<String> UNMODIFIABLE = List.of("java.util.ImmutableCollections$",
            "java.util.Collections$Empty", "java.util.Collections$Unmodifiable");

    @Test
    void noStaticFieldCanBeSet() throws IOException {
        List<String> settable = new ArrayList<>();
        int fields = 0;
        for (ClassModel model : LibraryClasses.parse()) {
            for (FieldModel field : model.fields()) {
                if (field.flags().has(AccessFlag.STATIC)) {
                    fields++;
                    if (!field.flags().has(AccessFlag.FINAL)) {
                        settable.add(LibraryClasses.name(model) + "." + field.fieldName().stringValue());
                    }
                }
            }
        }
        assertThat(fields).as("static fields that were looked at").isGreaterThan(100);
        assertThat(settable).isEmpty();
    }

    /** Follows what the constants hold, down to the last field. */
    @Test
    void noStaticFieldHoldsWhatCanBeChanged() throws Exception {
        Map<String, String> found = new TreeMap<>();
        for (ClassModel model : LibraryClasses.parse()) {
            for (FieldModel field : model.fields()) {
                if (field.flags().has(AccessFlag.STATIC) && !field.flags().has(AccessFlag.SYNTHETIC)
                        && field.fieldType().stringValue().length() > 1) {
                    Class<?> owner = Class.forName(LibraryClasses.name(model));
                    Field constant = owner.getDeclaredField(field.fieldName().stringValue());
                    constant.setAccessible(true);
                    changeable(owner.getSimpleName() + "." + constant.getName(), constant.get(null),
                            new IdentityHashMap<>())
                            .ifPresent(place -> found.put(place, owner.getName() + "." + constant.getName()));
                }
            }
        }
        assertThat(found.keySet()).as("what can be changed, and the static field that it is reached from: %s", found)
                .containsExactlyInAnyOrderElementsOf(ALLOWED.values().stream().flatMap(List::stream).toList());
    }

    /**
     * Where a value, or something that can be reached from it, could be changed; empty if nowhere.
     *
     * @param place the field that holds the value
     */
    private static Optional<String> changeable(String place, Object value, Map<Object, Boolean> seen)
            throws IllegalAccessException {
        if (value == null || isConstant(value) || seen.put(value, true) != null) {
            return Optional.empty();
        }
        Class<?> type = value.getClass();
        switch (value) {
            case Collection<?> collection when isUnmodifiable(type) -> {
                return anyChangeable(place, collection, seen);
            }
            case Map<?, ?> map when isUnmodifiable(type) -> {
                Optional<String> key = anyChangeable(place, map.keySet(), seen);
                return key.isPresent() ? key : anyChangeable(place, map.values(), seen);
            }
            case Optional<?> optional -> {
                return changeable(place, optional.orElse(null), seen);
            }
            default -> {
                return type.getName().startsWith("org.vecformer.")
                        ? changeableField(value, seen)
                        : Optional.of(place);
            }
        }
    }

    private static Optional<String> changeableField(Object value, Map<Object, Boolean> seen)
            throws IllegalAccessException {
        for (Class<?> part = value.getClass(); part != Object.class; part = part.getSuperclass()) {
            for (Field field : part.getDeclaredFields()) {
                if (Modifier.isStatic(field.getModifiers())) {
                    continue;
                }
                String place = part.getSimpleName() + "." + field.getName();
                if (!Modifier.isFinal(field.getModifiers())) {
                    return Optional.of(place);
                }
                field.setAccessible(true);
                Optional<String> inner = field.getType().isPrimitive()
                        ? Optional.empty()
                        : changeable(place, field.get(value), seen);
                if (inner.isPresent()) {
                    return inner;
                }
            }
        }
        return Optional.empty();
    }

    private static boolean isConstant(Object value) {
        return switch (value) {
            case Number _ -> List.of("java.lang", "java.math").contains(value.getClass().getPackageName());
            case OptionalInt _,OptionalLong _,OptionalDouble _ -> true;
            default -> value.getClass().isArray() && Array.getLength(value) == 0 || value.getClass() == Object.class
                    || CONSTANTS.stream().anyMatch(type -> type.isInstance(value));
        };
    }

    private static boolean isUnmodifiable(Class<?> type) {
        return UNMODIFIABLE.stream().anyMatch(name -> type.getName().startsWith(name));
    }

    private static Optional<String> anyChangeable(String place, Collection<?> values, Map<Object, Boolean> seen)
            throws IllegalAccessException {
        for (Object value : values) {
            Optional<String> found = changeable(place, value, seen);
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    /** What would outlive its user or speak without being asked; its package or class, or class and member. */
    private static final List<String> FORBIDDEN = List.of("java/lang/ThreadLocal", "java/lang/InheritableThreadLocal",
            "java/util/logging/", "java/lang/System.out", "java/lang/System.err", "java/lang/System.exit",
            "java/lang/System.setProperty", "java/lang/System.setOut", "java/lang/System.setErr",
            "java/lang/Runtime.exit", "java/lang/Runtime.halt", "java/lang/Runtime.addShutdownHook",
            "java/util/Locale.setDefault", "java/util/TimeZone.setDefault", "java/lang/Throwable.printStackTrace",
            "java/lang/Thread.setDefaultUncaughtExceptionHandler", "java/util/Timer",
            "java/util/concurrent/ForkJoinPool.commonPool", "java/util/concurrent/CompletableFuture.runAsync",
            "sun/misc/Unsafe", "java/lang/reflect/AccessibleObject.setAccessible",
            "java/lang/reflect/Field.setAccessible", "java/lang/reflect/Method.setAccessible");

    @Test
    void nothingIsUsedThatOutlivesItsUser() throws IOException {
        List<String> uses = new ArrayList<>();
        int entries = 0;
        for (ClassModel model : LibraryClasses.parse()) {
            for (PoolEntry entry : model.constantPool()) {
                String used = switch (entry) {
                    case ClassEntry type -> type.asInternalName();
                    case MemberRefEntry member -> member.owner().asInternalName() + "." + member.name().stringValue();
                    default -> "";
                };
                entries++;
                if (FORBIDDEN.stream().anyMatch(name -> used.equals(name)
                        || name.endsWith("/") && used.startsWith(name))) {
                    uses.add(LibraryClasses.name(model) + " uses " + used);
                }
            }
        }
        assertThat(entries).as("constant pool entries that were looked at").isGreaterThan(10_000);
        assertThat(uses).containsExactlyInAnyOrderElementsOf(ALLOWED_USES.keySet());
    }
}
