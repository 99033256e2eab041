/** Model files to tensors and configurations. */
module org.vecformer.loader {
    requires com.fasterxml.jackson.core;
    requires com.fasterxml.jackson.databind;

    exports org.vecformer.loader;
}
