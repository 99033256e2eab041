/** Tensors to numbers to text: kernels, models, samplers, generation. */
@SuppressWarnings({"requires-automatic", "module"}) module org.vecformer.engine {
    // Plain `requires` resolves the incubating module for users on the module path without a flag.
    requires jdk.incubator.vector;
    requires jdk.management;
    // OpenCL's calls, an automatic module: without it there is the CPU.
    requires static jocl;
    requires com.fasterxml.jackson.core;
    requires transitive org.vecformer.loader;
    requires transitive org.vecformer.tokenizer;

    exports org.vecformer.engine;
    exports org.vecformer.engine.constraint;
    exports org.vecformer.engine.dialog;
    exports org.vecformer.engine.generation;
    exports org.vecformer.engine.model;
    exports org.vecformer.engine.sampler;
    exports org.vecformer.engine.task;

    // A device's limits, for shares of them; this module is compiled before that one.
    exports org.vecformer.engine.kernel.opencl to org.vecformer.yardstick;
}
