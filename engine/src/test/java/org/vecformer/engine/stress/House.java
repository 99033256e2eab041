package org.vecformer.engine.stress;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.vecformer.engine.Engine;
import org.vecformer.engine.generation.Scheduler;
import org.vecformer.engine.generation.SchedulerOptions;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.task.EmbeddingBatcher;
import org.vecformer.engine.task.EmbeddingBatcherOptions;
import org.vecformer.loader.ModelFiles;

/**
 * What a server has once, for all of its threads: an engine, models, for each GPT a scheduler, for the BERT a batcher.
 */
record House(Engine engine, List<Room> rooms, Bert bert, Lexicon lexicon, EmbeddingBatcher batcher)
        implements
            AutoCloseable {

    /** So many requests wait at most: fewer than there are threads, so that some are refused. */
    private static final int QUEUE = 24;

    /** A GPT. */
    record Room(Gpt model, Library library, Scheduler scheduler) {}

    /** Loads the models and opens what is shared. */
    static House open(Engine engine, List<Library> libraries, Lexicon lexicon) throws IOException {
        List<Room> rooms = new ArrayList<>();
        for (Library library : libraries) {
            Gpt model = Gpt.load(engine, ModelFiles.of(library.files()), LoadOptions.defaults());
            rooms.add(new Room(model, library, Scheduler.open(model, library.tokenizer(),
                    SchedulerOptions.defaults().withMaxQueued(QUEUE).withPromptTokens(24))));
        }
        Bert bert = Bert.load(engine, ModelFiles.of(lexicon.files()), LoadOptions.defaults());
        return new House(engine, List.copyOf(rooms), bert, lexicon,
                EmbeddingBatcher.open(bert, lexicon.tokenizer(), EmbeddingBatcherOptions.defaults()));
    }

    /** Closes what computes, but not the models. */
    void closeServices() {
        rooms.forEach(room -> room.scheduler().close());
        batcher.close();
    }

    @Override
    public void close() {
        closeServices();
        rooms.forEach(room -> room.model().close());
        bert.close();
        engine.close();
    }
}
