package org.vecformer.cli;

import picocli.CommandLine.Option;

/** Which model. */
final class ModelOption {
    @Option(names = "--model", paramLabel = "DIR|FILE|NAME", description = "a model's directory (config.json, *.safetensors, tokenizer files), a file of weights in it, or a name that is looked up "
            + "in the folder of local models (VECFORMER_MODELS) and in the Hugging Face cache; without it the embedded model runs, which tells "
            + "children's stories")
    String model;
}
