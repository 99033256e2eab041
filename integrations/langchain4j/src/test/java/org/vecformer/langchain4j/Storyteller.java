package org.vecformer.langchain4j;

import java.nio.file.Path;

/** The small GPT-2 that gpt2.jar has inside. */
final class Storyteller {

    static final Path DIRECTORY = Path.of(System.getProperty("vecformer.storyteller"));

    private Storyteller() {
    }
}
