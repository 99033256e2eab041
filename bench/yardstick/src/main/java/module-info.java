/** What the machine can do, and how much of it a model needs. */
module org.vecformer.yardstick {
    requires jdk.incubator.vector;
    requires transitive com.fasterxml.jackson.core;
    requires transitive org.vecformer.engine;

    exports org.vecformer.yardstick;
}
