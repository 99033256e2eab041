/** LangChain4j's models, computed by vecformer. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) module org.vecformer.langchain4j {
    // An automatic module, named after its jar.
    requires transitive langchain4j.core;
    requires transitive org.vecformer.engine;

    exports org.vecformer.langchain4j;
}
