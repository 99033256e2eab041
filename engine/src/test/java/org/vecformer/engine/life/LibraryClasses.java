package org.vecformer.engine.life;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.vecformer.engine.Engine;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.Tokenizer;

/** The compiled classes of tokenizer, loader and engine: what of ours is in a user's process. */
final class LibraryClasses {

    private LibraryClasses() {
    }

    /** Each of them, as the class file has it; a module descriptor is none. */
    static List<ClassModel> parse() throws IOException {
        List<ClassModel> models = new ArrayList<>();
        for (Class<?> member : List.of(Tokenizer.class, ModelFiles.class, Engine.class)) {
            Path place = place(member);
            if (Files.isDirectory(place)) {
                parse(place, models);
            } else {
                try (FileSystem jar = FileSystems.newFileSystem(place)) {
                    parse(jar.getPath("/"), models);
                }
            }
        }
        return models;
    }

    /** The folder or the jar that a class was loaded from. */
    static Path place(Class<?> member) {
        try {
            return Path.of(member.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void parse(Path root, List<ClassModel> models) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(file -> file.toString().endsWith(".class")
                    && !file.endsWith("module-info.class")).sorted().toList()) {
                models.add(ClassFile.of().parse(Files.readAllBytes(file)));
            }
        }
    }

    /** As {@link Class#getName} has it. */
    static String name(ClassModel model) {
        return model.thisClass().asInternalName().replace('/', '.');
    }
}
