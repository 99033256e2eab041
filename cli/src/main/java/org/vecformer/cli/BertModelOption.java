package org.vecformer.cli;

import picocli.CommandLine.Option;

/** Which model, for commands that need a BERT; none is embedded. */
final class BertModelOption {
    @Option(names = "--model", paramLabel = "DIR|FILE|NAME", description = "a BERT's directory (config.json, *.safetensors, tokenizer files), a file of weights in it, or a name that is "
            + "looked up in the folder of local models (VECFORMER_MODELS) and in the Hugging Face cache; convert makes "
            + "such a directory of other checkpoints")
    String model;
}
