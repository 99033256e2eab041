/** Model files to tensors and configurations. */
module org.vecformer.loader {
    requires com.fasterxml.jackson.core;

    exports org.vecformer.loader;
    exports org.vecformer.loader.convert;
}
