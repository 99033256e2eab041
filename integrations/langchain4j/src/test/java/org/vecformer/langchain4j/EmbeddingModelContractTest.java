package org.vecformer.langchain4j;

import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.common.AbstractEmbeddingModelIT;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.model.Bert;

/** LangChain4j's own contract of an embedding model, all of it: with the features that the model says it lacks refused. */
class EmbeddingModelContractTest extends AbstractEmbeddingModelIT {

    private Bert bert;
    private final List<VecformerEmbeddingModel> opened = new ArrayList<>();

    @BeforeAll
    void load(@TempDir Path directory) throws IOException {
        bert = Bert.load(TinyBert.write(directory, 0));
    }

    @AfterAll
    void close() {
        opened.forEach(VecformerEmbeddingModel::close);
        bert.close();
    }

    private VecformerEmbeddingModel open(List<EmbeddingModelListener> listeners) {
        VecformerEmbeddingModel model = VecformerEmbeddingModel.builder().model(bert).listeners(listeners).build();
        opened.add(model);
        return model;
    }

    @Override
    protected List<EmbeddingModel> models() {
        return List.of(open(List.of()));
    }

    @Override
    protected EmbeddingModel modelWith(EmbeddingModelListener listener) {
        return open(List.of(listener));
    }

    /** One that was closed. */
    @Override
    protected EmbeddingModel failingModelWith(EmbeddingModelListener listener) {
        VecformerEmbeddingModel model = open(List.of(listener));
        model.close();
        return model;
    }

    @Override
    protected boolean supportsInputTypeParameter() {
        return false;
    }

    @Override
    protected boolean supportsDimensionsParameter() {
        return false;
    }

    @Override
    protected boolean supportsImageInput() {
        return false;
    }
}
