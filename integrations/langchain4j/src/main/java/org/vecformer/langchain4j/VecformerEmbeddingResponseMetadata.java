package org.vecformer.langchain4j;

import dev.langchain4j.model.embedding.response.EmbeddingResponseMetadata;
import java.util.List;
import java.util.Objects;

/** What is known of embeddings beside their vectors: LangChain4j's metadata, and which texts were too long. */
public final class VecformerEmbeddingResponseMetadata extends EmbeddingResponseMetadata {

    private final List<Boolean> truncated;

    VecformerEmbeddingResponseMetadata(EmbeddingResponseMetadata.Builder<?> builder, List<Boolean> truncated) {
        super(builder);
        this.truncated = List.copyOf(truncated);
    }

    /** For each input, in their order, whether it was too long and its end has no part in the vector. */
    public List<Boolean> truncated() {
        return truncated;
    }

    @Override
    public boolean equals(Object other) {
        return super.equals(other) && truncated.equals(((VecformerEmbeddingResponseMetadata) other).truncated);
    }

    @Override
    public int hashCode() {
        return Objects.hash(super.hashCode(), truncated);
    }

    @Override
    public String toString() {
        return "VecformerEmbeddingResponseMetadata{modelName='" + modelName() + "', tokenUsage=" + tokenUsage()
                + ", truncated=" + truncated + '}';
    }
}
