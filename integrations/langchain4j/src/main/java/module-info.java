/** LangChain4j's models, computed by vecformer. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) module org.vecformer.langchain4j {
    // An automatic module, named after its jar, and what it uses but cannot say.
    requires transitive langchain4j.core;
    requires com.fasterxml.jackson.databind;
    requires org.slf4j;
    requires transitive org.vecformer.engine;

    exports org.vecformer.langchain4j;
}
