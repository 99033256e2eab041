package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Every option of every command: given, it changes what the command writes, or it is refused. The options are taken
 * from the command line itself, so that a new one without a case here fails.
 */
class OptionsWalkTest {
    /** Commands whose result itself tells seconds. */
    private static final Set<String> TIMED = Set.of("generate", "mask-generate", "bench");

    @TempDir
    static Path folder;

    private static Path padded;
    private static Path other;
    private static Path ending;
    private static Path filler;
    private static Path classifier;
    private static Path tagger;
    private static Path answerer;

    /** Command lines by "command option". */
    private final Map<String, List<Case>> cases = new LinkedHashMap<>();

    /** What commands read where nothing else is said. */
    private String standardInput = "";

    /** A command line with and without the option. */
    private record Case(String input, List<String> without, List<String> with, Integer refused) {}

    @BeforeAll
    static void models() throws IOException {
        padded = CommandRun.copyOfModel(folder.resolve("padded"), "vocab.json", "merges.txt");
        Files.writeString(padded.resolve("tokenizer_config.json"),
                "{\"tokenizer_class\": \"GPT2Tokenizer\", \"pad_token\": \"<|endoftext|>\"}");
        // The second token that the model writes behind "Once upon a time" is made its end token.
        ending = CommandRun.copyOfModel(folder.resolve("ending"), "model.safetensors");
        Files.writeString(ending.resolve("config.json"),
                Files.readString(CommandRun.embeddedModel().resolve("config.json"))
                        .replace("\"eos_token_id\": 0", "\"eos_token_id\": 418"));
        Files.writeString(folder.resolve("classifier.json"),
                Files.readString(CommandRun.embeddedModel().resolve("config.json"))
                        .replace("GPT2LMHeadModel", "GPT2ForSequenceClassification"));
        other = CommandRun.copyOfModel(folder.resolve("other"), "config.json", "model.safetensors");
        Files.writeString(folder.resolve("corpus.txt"), "Once upon a time there was a little girl.\nShe had a cat.\n");
        Files.writeString(folder.resolve("conversation.json"),
                "{\"format\":\"vecformer-conversation\",\"version\":1,\"persona\":[\"I am old.\"],\"utterances\":["
                        + "{\"speaker\":\"user\",\"text\":\"Hi!\"},{\"speaker\":\"bot\",\"text\":\"Ho!\"}]}");
        filler = TinyBert.write(folder.resolve("filler"), "BertForMaskedLM");
        classifier = TinyBert.write(folder.resolve("classifier"), "BertForSequenceClassification", "bad", "good");
        tagger = TinyBert.write(folder.resolve("tagger"), "BertForTokenClassification", "O", "B-PER", "I-PER");
        answerer = TinyBert.write(folder.resolve("answerer"), "BertForQuestionAnswering");
    }

    private static String[] words(String line) {
        return line.isEmpty() ? new String[0] : line.split(" ");
    }

    /** The option changes what is written, standard error included (that is where a summary is). */
    private void changes(String option, String command, String value, String rest) {
        changes(option, command, value, rest, standardInput);
    }

    private void changes(String option, String command, String value, String rest, String input) {
        List<String> without = new ArrayList<>(List.of(command));
        without.addAll(List.of(words(rest)));
        List<String> with = new ArrayList<>(without);
        with.add(option);
        with.addAll(List.of(words(value)));
        cases.computeIfAbsent(command + " " + option, _ -> new ArrayList<>()).add(new Case(input, without, with, null));
    }

    private void refused(int status, String option, String command, String value, String rest) {
        List<String> with = new ArrayList<>(List.of(command));
        with.addAll(List.of(words(rest)));
        with.add(option);
        with.addAll(List.of(words(value)));
        cases.computeIfAbsent(command + " " + option, _ -> new ArrayList<>()).add(new Case("", null, with, status));
    }

    private void collect() {
        String prompt = "Once --max-new-tokens 8 --greedy";
        changes("--ids", "generate", "5,6", "--max-new-tokens 4 --greedy");
        refused(2, "--ids", "generate", "5,x", "");
        refused(1, "--ids", "generate", "5,4096", "");
        refused(2, "--ids", "generate", "5", "Once");
        changes("--echo", "generate", "", prompt);
        changes("--echo", "generate", "", prompt + " --json");
        changes("--max-new-tokens", "generate", "3", "Once --greedy");
        refused(2, "--max-new-tokens", "generate", "-1", "Once");
        changes("--max-length", "generate", "9", "Once --greedy");
        refused(2, "--max-length", "generate", "0", "Once");
        refused(2, "--max-length", "generate", "9", prompt);
        // A hundred tokens, so that what is drawn is not by chance what is most likely.
        changes("--greedy", "generate", "", "Once --max-new-tokens 100 --quiet");
        refused(2, "--greedy", "generate", "", "Once --top-k 5");
        changes("--temperature", "generate", "9.5", "Once --seed 1 --max-new-tokens 20 --quiet");
        refused(2, "--temperature", "generate", "0", "Once");
        refused(2, "--temperature", "generate", "NaN", "Once");
        changes("--top-k", "generate", "1", "Once --seed 1 --max-new-tokens 20 --quiet");
        refused(2, "--top-k", "generate", "-1", "Once");
        changes("--top-p", "generate", "0.01", "Once --seed 1 --max-new-tokens 20 --quiet");
        refused(2, "--top-p", "generate", "1.5", "Once");
        refused(2, "--top-p", "generate", "0", "Once");
        changes("--seed", "generate", "5", "Once --max-new-tokens 100 --quiet");
        refused(2, "--seed", "generate", "x", "Once");
        changes("--ignore-eos", "generate", "",
                "--ids 567,510,259,445 --greedy --quiet --max-new-tokens 5 --model " + ending);
        String tooLong = "--ids " + "5,".repeat(599) + "5 --greedy --max-new-tokens 3 --json";
        changes("--truncate", "generate", "", tooLong);
        collectStops();
        collectDrawing();
        collectRules();
        collectSearches();
        collectSpeedAndShow();
        changes("--json", "generate", "", prompt);
        refused(2, "--json", "generate", "", "--jsonl");
        changes("--jsonl", "generate", "", "--max-new-tokens 2 --greedy", "{\"text\":\"Once\"}\n{\"ids\":[5]}\n");
        refused(2, "--jsonl", "generate", "", "Once");
        model("generate", "--ids 5 --max-new-tokens 8 --greedy");
        compute("generate", prompt);
        changes("--weights", "generate", "int8", prompt);
        changes("--weights", "generate", "int4", prompt);
        common("generate", prompt, "--model " + folder.resolve("nowhere"));

        collectScores();
        collectChat();
        collectBert();

        changes("--pair", "tokenize", "upon", "Once");
        refused(2, "--pair", "tokenize", "-", "-");
        changes("--max-length", "tokenize", "2", "Once:upon:a:time");
        refused(2, "--max-length", "tokenize", "0", "Once");
        changes("--padding", "tokenize", "max_length", "Once --max-length 9 --model " + padded);
        refused(1, "--padding", "tokenize", "max_length", "Once --max-length 9");
        refused(2, "--padding", "tokenize", "max_length", "Once");
        refused(2, "--padding", "tokenize", "longest", "Once --max-length 9");
        changes("--json", "tokenize", "", "Once");
        changes("--jsonl", "tokenize", "", "", "{\"text\":\"Once\"}");
        refused(2, "--jsonl", "tokenize", "", "Once");
        refused(1, "--model", "tokenize", other.toString(), "Once");
        changes("--quiet", "tokenize", "", "Once:upon:a:time --max-length 2");
        common("tokenize", null, "Once --model " + folder.resolve("nowhere"));

        changes("--ids", "detokenize", "5,6", "");
        refused(2, "--ids", "detokenize", "5", "6");
        changes("--json", "detokenize", "", "5,6");
        changes("--jsonl", "detokenize", "", "", "{\"ids\":[5]}");
        refused(2, "--jsonl", "detokenize", "", "5");
        refused(1, "--model", "detokenize", other.toString(), "5");
        changes("--quiet", "detokenize", "", "128");
        common("detokenize", null, "4096");

        String output = "--output " + folder.resolve("numbers.safetensors");
        changes("--pair", "forward", "he:has", "bob --model " + filler + " " + output);
        refused(2, "--pair", "forward", "x", "Once " + output);
        changes("--type-ids", "forward", "0,1,1", "--ids 2,5,3 --model " + classifier + " " + output);
        changes("--type-ids", "forward", "0,1,1", "--ids 5,6,7 " + output);
        refused(1, "--type-ids", "forward", "0,4096,1", "--ids 5,6,7 " + output);
        refused(1, "--type-ids", "forward", "0,1,2", "--ids 2,5,3 --model " + filler + " " + output);
        changes("--attention-mask", "forward", "1,1,0", "--ids 2,5,3 --model " + classifier + " " + output);
        refused(2, "--attention-mask", "forward", "1,1", "--ids 2,5,3 --model " + filler + " " + output);
        refused(1, "--attention-mask", "forward", "1,1,2", "--ids 2,5,3 --model " + filler + " " + output);
        changes("--ids", "forward", "5,6", output);
        refused(2, "--ids", "forward", "5", "Once " + output);
        refused(1, "--ids", "forward", "4096", output);
        changes("--output", "forward", folder.resolve("other.safetensors").toString(), "Once");
        refused(1, "--output", "forward", folder.toString(), "Once");
        changes("--all-hidden", "forward", "", "Once " + output);
        changes("--json", "forward", "", "Once " + output);
        model("forward", "--ids 5 " + output);
        compute("forward", "Once " + output);
        common("forward", "Once " + output, "Once " + output + " --model " + folder.resolve("nowhere"));

        changes("--tensors", "info", embeddedWeights(), "--quiet");
        refused(1, "--tensors", "info", CommandRun.embeddedModel().resolve("config.json").toString(), "");
        refused(2, "--tensors", "info", embeddedWeights(), "--devices");
        refused(2, "--tensors", "info", embeddedWeights(), "--threads 1");
        changes("--devices", "info", "", "--quiet");
        refused(2, "--devices", "info", "", "--weights f32");
        refused(2, "--devices", "info", "", "--device cpu");
        changes("--json", "info", "", "--quiet");
        changes("--json", "info", "", "--devices");
        changes("--json", "info", "", "--tensors " + embeddedWeights());
        model("info", "--quiet");
        compute("info", "");
        changes("--weights", "info", "int8", "");
        changes("--weights", "info", "int4", "");
        common("info", "", "--model " + folder.resolve("nowhere"));

        convert();

        String small = "-p 2 -n 2 -r 1";
        changes("-p", "bench", "0", "-n 2 -r 1");
        refused(2, "-p", "bench", "-1", "");
        refused(1, "-p", "bench", "513", "");
        changes("-n", "bench", "0", "-p 2 -r 1");
        refused(2, "-n", "bench", "0", "-p 0");
        refused(2, "-n", "bench", "2", "--model " + filler);
        refused(2, "-p", "bench", "0", "--model " + filler);
        changes("-b", "bench", "3", small);
        refused(2, "-b", "bench", "0", "");
        changes("-r", "bench", "3", "-p 2 -n 2");
        refused(2, "-r", "bench", "0", "");
        refused(2, "--profile", "bench", "", small);
        changes("--json", "bench", "", small);
        model("bench", small);
        compute("bench", small);
        common("bench", small, small + " --model " + folder.resolve("nowhere"));
    }

    private void collectChat() {
        standardInput = "Hello!\nWho are you?\nAnd now?\n";
        String tall = "--persona I:am:tall. --quiet";
        String seeded = tall + " --seed 1";
        changes("--persona", "chat", "I:am:a:cat.", "--seed 1 --quiet");
        changes("--persona", "chat", "@" + folder.resolve("corpus.txt"), "--seed 1 --quiet");
        refused(2, "--persona", "chat", "-", "");
        refused(1, "--persona", "chat", "@" + folder.resolve("nowhere"), "");
        changes("--personas", "chat", folder.resolve("corpus.txt").toString(), "--seed 1 --quiet");
        refused(1, "--personas", "chat", folder.resolve("nowhere").toString(), "");
        changes("--user-persona", "chat", "I:am:a:dog.", seeded, "/suggest\n");
        refused(2, "--user-persona", "chat", "-", "");
        changes("--load", "chat", folder.resolve("conversation.json").toString(), "--quiet --max-new-tokens 2",
                "/persona\n/history\n");
        refused(1, "--load", "chat", folder.resolve("nowhere").toString(), "");
        refused(1, "--load", "chat", folder.resolve("corpus.txt").toString(), "");
        refused(2, "--load", "chat", folder.resolve("conversation.json").toString(), tall);
        changes("--min-new-tokens", "chat", "40", seeded);
        refused(2, "--min-new-tokens", "chat", "-1", "--quiet");
        refused(2, "--min-new-tokens", "chat", "9", "--max-new-tokens 8");
        changes("--max-new-tokens", "chat", "2", seeded);
        refused(2, "--max-new-tokens", "chat", "0", "--quiet");
        changes("--max-history", "chat", "0", seeded);
        refused(2, "--max-history", "chat", "-1", "--quiet");
        changes("--greedy", "chat", "", tall);
        refused(2, "--greedy", "chat", "", "--top-k 5");
        changes("--temperature", "chat", "9.5", seeded);
        refused(2, "--temperature", "chat", "0", "--quiet");
        changes("--top-k", "chat", "1", seeded);
        refused(2, "--top-k", "chat", "-1", "--quiet");
        changes("--top-p", "chat", "0.01", seeded);
        refused(2, "--top-p", "chat", "1.5", "--quiet");
        changes("--seed", "chat", "5", tall);
        refused(2, "--seed", "chat", "x", "--quiet");
        drawing("chat", seeded + " --temperature 2", "--quiet");
        repetition("chat", tall + " --greedy --min-new-tokens 60", "--quiet");
        changes("--json", "chat", "", seeded);
        refused(2, "--json", "chat", "", "--jsonl");
        changes("--jsonl", "chat", "", seeded, "{\"text\":\"Hello!\"}\n");
        refused(2, "--jsonl", "chat", "", "--json");
        changes("--model", "chat", filler.toString(), seeded);
        refused(1, "--model", "chat", other.toString(), "--quiet");
        refused(1, "--model", "chat", classifier.toString(), "--quiet");
        refused(1, "--model", "chat", folder.resolve("nowhere").toString(), "--quiet");
        compute("chat", "--persona I:am:tall. --seed 1");
        common("chat", "--persona I:am:tall. --seed 1", "--model " + folder.resolve("nowhere"));
        standardInput = "";
    }

    private void collectScores() {
        String ids = "--ids 5,6,7,8,9,10,11,12,13,14 --json";
        changes("--ids", "score", "5,6", "");
        refused(2, "--ids", "score", "5,x", "");
        refused(1, "--ids", "score", "5,4096", "");
        refused(2, "--ids", "score", "5", "Once");
        refused(2, "--ids", "score", "5", "--ids 6");
        changes("--prompt", "score", "Once:upon", "a:time");
        refused(2, "--prompt", "score", "Once", "");
        refused(2, "--prompt", "score", "-", "-");
        refused(2, "--prompt", "score", "Once", "--ids 5");
        refused(2, "--prompt", "score", "Once", "upon --window 9");
        changes("--prompt-ids", "score", "567,510", "--ids 259,445");
        refused(2, "--prompt-ids", "score", "567", "Once");
        refused(2, "--prompt-ids", "score", "567", "");
        changes("--window", "score", "4", ids);
        refused(2, "--window", "score", "1", ids);
        refused(1, "--window", "score", "513", ids);
        changes("--stride", "score", "1", ids + " --window 4");
        refused(2, "--stride", "score", "0", ids);
        refused(2, "--stride", "score", "5", ids + " --window 4");
        changes("--bos", "score", "", "Once:upon");
        refused(2, "--bos", "score", "", "upon --prompt Once");
        gpt2("score", "Once:upon:a:time");

        changes("--ids", "next", "5,6", "");
        refused(2, "--ids", "next", "5", "Once");
        refused(1, "--ids", "next", "4096", "");
        changes("--top-k", "next", "3", "Once");
        refused(2, "--top-k", "next", "0", "Once");
        gpt2("next", "Once:upon:a:time");

        changes("--ids", "predict", "5,6", "");
        refused(2, "--ids", "predict", "5", "Once");
        refused(1, "--ids", "predict", "4096", "");
        gpt2("predict", "Once:upon:a:time");

        String corpus = folder.resolve("corpus.txt").toString();
        changes("--task", "evaluate", "last-word", corpus);
        refused(2, "--task", "evaluate", "accuracy", corpus);
        changes("--window", "evaluate", "4", corpus);
        refused(2, "--window", "evaluate", "1", corpus);
        refused(1, "--window", "evaluate", "513", corpus);
        refused(2, "--window", "evaluate", "9", corpus + " --task last-word");
        changes("--stride", "evaluate", "1", corpus + " --window 4");
        refused(2, "--stride", "evaluate", "9", corpus + " --window 4");
        changes("--bos", "evaluate", "", corpus);
        changes("--json", "evaluate", "", corpus);
        refused(1, "--model", "evaluate", other.toString(), corpus);
        compute("evaluate", corpus);
        common("evaluate", corpus, folder.resolve("nowhere").toString());
        collectDialogs();
    }

    /** What all commands have that ask a GPT-2 about texts. */
    private void gpt2(String command, String rest) {
        changes("--json", command, "", rest);
        refused(2, "--json", command, "", "--jsonl");
        changes("--jsonl", command, "", "", "{\"text\":\"Once upon\"}\n{\"ids\":[5,6]}\n");
        refused(2, "--jsonl", command, "", rest);
        model(command, "--ids 567,510,259");
        refused(1, "--model", command, filler.toString(), rest);
        compute(command, rest);
        common(command, rest, "--ids 5 --model " + folder.resolve("nowhere"));
    }

    private void collectStops() {
        String ends = "--ids 567,510,259,445 --greedy --quiet --max-new-tokens 8 --model " + ending;
        changes("--min-new-tokens", "generate", "6", ends);
        refused(2, "--min-new-tokens", "generate", "-1", "Once");
        refused(2, "--min-new-tokens", "generate", "9", "Once --max-new-tokens 8");
        refused(2, "--min-new-tokens", "generate", "3", "Once --ignore-eos");
        changes("--min-length", "generate", "9", ends);
        refused(2, "--min-length", "generate", "-1", "Once");
        refused(2, "--min-length", "generate", "9", "Once --max-length 8");
        String text = "Once --max-new-tokens 12 --greedy --quiet";
        changes("--stop", "generate", "im", text);
        refused(1, "--stop", "generate", "x", "--ids 5 --model " + other);
        changes("--include-stop", "generate", "", text + " --stop im");
        refused(2, "--include-stop", "generate", "", "Once");
        changes("--exponential-decay-length-penalty", "generate", "2,9999", text);
        refused(2, "--exponential-decay-length-penalty", "generate", "3", "Once");
        refused(2, "--exponential-decay-length-penalty", "generate", "x,1.5", "Once");
        changes("--max-time", "generate", "0.000001", text);
        refused(2, "--max-time", "generate", "0", "Once");
    }

    private void collectDrawing() {
        drawing("generate", "Once --seed 1 --temperature 2 --max-new-tokens 20 --quiet", "Once");
        changes("--sampler-order", "generate", "top_k", "Once --seed 1 --max-new-tokens 100 --quiet");
        refused(2, "--sampler-order", "generate", "top_x", "Once");
        refused(2, "--sampler-order", "generate", "top_k,top-k", "Once");
        refused(2, "--sampler-order", "generate", "top_k", "Once --temperature 0.5");
        repetition("generate", "Once --greedy --quiet --max-new-tokens 60", "Once");
        String again = "--ids 567,510,259,445,567,510,259 --greedy --quiet --max-new-tokens 2";
        changes("--dry-multiplier", "generate", "50", again);
        refused(2, "--dry-multiplier", "generate", "-1", "Once");
        changes("--dry-base", "generate", "1000000", again + " --dry-multiplier 0.001");
        refused(2, "--dry-base", "generate", "0.5", "Once --dry-multiplier 1");
        refused(2, "--dry-base", "generate", "2", "Once");
        changes("--dry-allowed-length", "generate", "9", again + " --dry-multiplier 50");
        refused(2, "--dry-allowed-length", "generate", "0", "Once --dry-multiplier 1");
        changes("--dry-penalty-last-n", "generate", "2", again + " --dry-multiplier 50");
        refused(2, "--dry-penalty-last-n", "generate", "0", "Once --dry-multiplier 1");
        changes("--dry-sequence-breaker", "generate", "upon", again + " --dry-multiplier 50");
        refused(2, "--dry-sequence-breaker", "generate", "upon", "Once");
    }

    /** What generate, mask-generate and chat have about drawing, and no tests of older. */
    private void drawing(String command, String draw, String input) {
        changes("--min-p", command, "1", draw);
        refused(2, "--min-p", command, "1.1", input);
        changes("--typical-p", command, "0.01", draw);
        refused(2, "--typical-p", command, "0", input);
        changes("--epsilon-cutoff", command, "0.9", draw);
        refused(2, "--epsilon-cutoff", command, "1", input);
        changes("--eta-cutoff", command, "0.9", draw);
        refused(2, "--eta-cutoff", command, "-0.1", input);
        changes("--top-h", command, "0.01", draw);
        refused(2, "--top-h", command, "0", input);
        changes("--top-n-sigma", command, "0.001", draw);
        refused(2, "--top-n-sigma", command, "-1", input);
        changes("--xtc-probability", command, "1", draw + " --xtc-threshold 0.02");
        refused(2, "--xtc-probability", command, "2", input);
        changes("--xtc-threshold", command, "0.01", draw + " --xtc-probability 1");
        refused(2, "--xtc-threshold", command, "0.6", input + " --xtc-probability 1");
        refused(2, "--xtc-threshold", command, "0.1", input);
        changes("--mirostat-tau", command, "0.001", draw);
        refused(2, "--mirostat-tau", command, "0", input);
        refused(2, "--mirostat-tau", command, "3", input + " --top-p 0.5");
        changes("--mirostat-eta", command, "5", draw + " --mirostat-tau 2");
        refused(2, "--mirostat-eta", command, "-1", input + " --mirostat-tau 2");
        refused(2, "--mirostat-eta", command, "1", input);
    }

    /** What generate, mask-generate and chat have against repetition. */
    private void repetition(String command, String text, String input) {
        changes("--repetition-penalty", command, "9", text);
        refused(2, "--repetition-penalty", command, "0", input);
        changes("--presence-penalty", command, "9", text);
        refused(2, "--presence-penalty", command, "NaN", input);
        changes("--frequency-penalty", command, "9", text);
        refused(2, "--frequency-penalty", command, "x", input);
        changes("--penalty-window", command, "1", text + " --presence-penalty 9");
        refused(2, "--penalty-window", command, "1", input);
        changes("--no-repeat-ngram-size", command, "1", text);
        refused(2, "--no-repeat-ngram-size", command, "-1", input);
    }

    private void collectRules() {
        String text = "Once --max-new-tokens 8 --greedy --quiet";
        changes("--bad-words", "generate", "girl,upon", text);
        refused(2, "--bad-words", "generate", "upon,", "Once");
        refused(1, "--bad-words", "generate", "upon", "--ids 5 --model " + other);
        changes("--logit-bias", "generate", "510:-100", text);
        changes("--logit-bias", "generate", "a,:1,.:100", text);
        refused(2, "--logit-bias", "generate", "510", "Once");
        refused(1, "--logit-bias", "generate", "4096:1", "Once");
        changes("--suppress-tokens", "generate", "510", text);
        refused(2, "--suppress-tokens", "generate", "x", "Once");
        refused(1, "--suppress-tokens", "generate", "4096", "Once");
        changes("--begin-suppress-tokens", "generate", "510", text);
        refused(2, "--begin-suppress-tokens", "generate", "x", "Once");
        changes("--forced-bos-token-id", "generate", "5", "--ids 567 --greedy --quiet --max-new-tokens 3");
        refused(2, "--forced-bos-token-id", "generate", "-5", "Once");
        changes("--forced-eos-token-id", "generate", "0,5", text);
        refused(1, "--forced-eos-token-id", "generate", "4096", "Once");
        // The logit of % becomes NaN, which is less than any number, or 0.
        changes("--remove-invalid-values", "generate", "",
                "Once --greedy --quiet --choices %,Q --logit-bias 5:inf,Once%:-inf,Q:-100");
        changes("--renormalize-logits", "generate", "",
                "Once --num-beams 4 --quiet --max-new-tokens 20 --presence-penalty 9");
        changes("--regex", "generate", "[a-c]{3}", text);
        refused(2, "--regex", "generate", "a(b", "Once");
        changes("--json-schema", "generate", "{\"type\":\"boolean\"}", text);
        refused(2, "--json-schema", "generate", "{", "Once");
        refused(1, "--json-schema", "generate", "@" + folder.resolve("nowhere"), "Once");
        refused(2, "--json-schema", "generate", "{}", "Once --regex x");
        changes("--choices", "generate", "red,blue", text);
        refused(2, "--choices", "generate", "red,", "Once");
        refused(1, "--choices", "generate", "red", "--ids 5 --model " + other);
        String longer = "Once --max-new-tokens 40 --greedy --quiet";
        changes("--guidance-scale", "generate", "9.5", "--ids 567,510,259,445 --max-new-tokens 40 --greedy --quiet");
        refused(2, "--guidance-scale", "generate", "NaN", "Once");
        changes("--negative-prompt", "generate", "Tom:and", longer + " --guidance-scale 2");
        refused(2, "--negative-prompt", "generate", "Tom", "Once");
        refused(2, "--negative-prompt", "generate", "-", "- --guidance-scale 2");
    }

    private void collectSearches() {
        String beams = "Once --num-beams 4 --max-new-tokens 20 --quiet";
        changes("--num-return-sequences", "generate", "2", "Once --seed 1 --max-new-tokens 5 --quiet");
        refused(2, "--num-return-sequences", "generate", "0", "Once");
        refused(2, "--num-return-sequences", "generate", "2", "Once --greedy");
        refused(2, "--num-return-sequences", "generate", "5", "Once --num-beams 4");
        changes("--num-beams", "generate", "4", "Once --greedy --max-new-tokens 20 --quiet");
        refused(2, "--num-beams", "generate", "0", "Once");
        refused(2, "--num-beams", "generate", "10001", "Once");
        refused(2, "--mirostat-tau", "generate", "5", "Once --num-beams 2");
        String ends = "--ids 567,510,259,445 --num-beams 3 --max-new-tokens 9 --quiet --model " + ending;
        changes("--length-penalty", "generate", "9", ends);
        refused(2, "--length-penalty", "generate", "x", "Once --num-beams 2");
        refused(2, "--length-penalty", "generate", "2", "Once --num-beams 1");
        changes("--early-stopping", "generate", "true", ends + " --length-penalty 9");
        refused(2, "--early-stopping", "generate", "soon", "Once --num-beams 2");
        changes("--num-beam-groups", "generate", "2", beams + " --num-return-sequences 4");
        refused(2, "--num-beam-groups", "generate", "3", "Once --num-beams 4");
        refused(2, "--num-beam-groups", "generate", "2", "Once --num-beams 4 --seed 1");
        changes("--diversity-penalty", "generate", "50",
                beams + " --num-beam-groups 2 --num-return-sequences 4");
        refused(2, "--diversity-penalty", "generate", "1", "Once --num-beams 4");
        String plain = "--ids 567 --max-new-tokens 40 --quiet --model " + other;
        changes("--penalty-alpha", "generate", "0.9", plain);
        refused(2, "--penalty-alpha", "generate", "1.5", "Once");
        refused(2, "--penalty-alpha", "generate", "0.5", "Once --num-beams 2");
        refused(2, "--penalty-alpha", "generate", "0.5", "Once --seed 2");
        refused(2, "--penalty-alpha", "generate", "0.5", "Once --top-k 0");
    }

    private void collectSpeedAndShow() {
        String prompt = "Once --max-new-tokens 8 --greedy";
        changes("--no-cache", "generate", "", prompt);
        refused(2, "--no-cache", "generate", "", "Once --prompt-lookup 2");
        changes("--draft-model", "generate", other.toString(), prompt);
        refused(1, "--draft-model", "generate", filler.toString(), prompt);
        refused(2, "--draft-model", "generate", other.toString(), "Once --num-beams 2");
        changes("--draft-tokens", "generate", "2", prompt + " --draft-model " + other);
        refused(2, "--draft-tokens", "generate", "0", prompt + " --draft-model " + other);
        refused(2, "--draft-tokens", "generate", "2", prompt);
        changes("--kv-cache", "generate", "bf16", "Once --max-new-tokens 300 --temperature 1.5 --seed 5 --quiet");
        refused(2, "--kv-cache", "generate", "int8", prompt);
        changes("--prompt-lookup", "generate", "2", prompt);
        refused(2, "--prompt-lookup", "generate", "0", prompt);
        refused(2, "--prompt-lookup", "generate", "2", "Once --penalty-alpha 0.5");
        changes("--logprobs", "generate", "2", prompt);
        changes("--logprobs", "generate", "0", prompt + " --json");
        refused(2, "--logprobs", "generate", "-1", prompt);
        changes("--show-probabilities", "generate", "", prompt + " --quiet");
        refused(2, "--show-probabilities", "generate", "", prompt + " --json");
        changes("--html", "generate", folder.resolve("page.html").toString(), prompt);
        refused(1, "--html", "generate", folder.toString(), prompt);
        refused(1, "--html", "generate", folder.resolve("nowhere/page.html").toString(), prompt);
        refused(2, "--html", "generate", folder.resolve("page.html").toString(), "--jsonl");
    }

    private void convert() {
        String rest = CommandRun.embeddedModel() + " " + converted();
        changes("--dtype", "convert", "f32", rest);
        changes("--dtype", "convert", "int8", rest);
        changes("--dtype", "convert", "int4", rest);
        refused(2, "--dtype", "convert", "int3", rest);
        changes("--config", "convert", folder.resolve("classifier.json").toString(), rest);
        refused(1, "--config", "convert", folder.resolve("nowhere").toString(), rest);
        changes("--json", "convert", "", rest);
        common("convert", rest, folder.resolve("nowhere") + " " + converted());
    }

    /** A directory that is not there when a command begins. */
    private static Path converted() {
        return folder.resolve("converted");
    }

    /** Commands that need a BERT. */
    private void collectBert() {
        String fill = "bob:is:a:[MASK]:man. --model " + filler;
        changes("--top-k", "fill-mask", "2", fill);
        refused(2, "--top-k", "fill-mask", "0", fill);
        changes("--targets", "fill-mask", "he,she", fill);
        changes("--mask-at", "fill-mask", "1,2", fill);
        refused(1, "--mask-at", "fill-mask", "99", fill);
        refused(2, "--mask-at", "fill-mask", "x", fill);
        refused(2, "--mask-at", "fill-mask", "[]", fill);
        pair("fill-mask", fill);
        ids("fill-mask", "--model " + filler);
        batches("fill-mask", fill);
        bert("fill-mask", fill, filler, "{\"text\":\"a [MASK]\"}");
        collectMaskGenerate();

        String embed = "bob:is:a:man --model " + filler;
        changes("--pooling", "embed", "max", embed);
        changes("--pooling", "embed", "cls,mean_sqrt_len", embed);
        refused(1, "--pooling", "embed", "pooler", embed);
        refused(2, "--pooling", "embed", "least", embed);
        changes("--normalize", "embed", "", embed + " --json");
        changes("--max-length", "embed", "3", embed);
        refused(2, "--max-length", "embed", "0", embed);
        refused(1, "--max-length", "embed", "999", embed);
        changes("--long-texts", "embed", "split", embed + " --max-length 3");
        refused(1, "--long-texts", "embed", "refuse", embed + " --max-length 3");
        refused(2, "--long-texts", "embed", "fold", embed);
        ids("embed", "--model " + filler);
        batches("embed", embed);
        bert("embed", embed, filler, "{\"text\":\"bob\"}");

        String classify = "bob:is:a:man --model " + classifier;
        changes("--top-k", "classify", "1", classify);
        refused(2, "--top-k", "classify", "-1", classify);
        changes("--function", "classify", "none", classify);
        refused(2, "--function", "classify", "tanh", classify);
        changes("--max-length", "classify", "3", classify);
        refused(2, "--max-length", "classify", "0", classify);
        pair("classify", classify);
        ids("classify", "--model " + classifier);
        batches("classify", classify);
        bert("classify", classify, classifier, "{\"text\":\"bob\"}");

        String tag = "bob:is:a:man:and:he:has:three:kids --ignore-labels X --model " + tagger;
        changes("--aggregation", "tag", "simple", tag);
        refused(2, "--aggregation", "tag", "best", tag);
        changes("--ignore-labels", "tag", "O,B-PER,I-PER", "bob:is:a:man --model " + tagger);
        changes("--max-length", "tag", "3", tag);
        refused(2, "--max-length", "tag", "0", tag);
        changes("--stride", "tag", "1", tag + " --max-length 5");
        refused(2, "--stride", "tag", "0", tag);
        ids("tag", "--ignore-labels X --model " + tagger);
        batches("tag", tag);
        bert("tag", tag, tagger, "{\"text\":\"bob\"}");

        String context = "bob:is:a:good:man:and:he:has:three:kids --model " + answerer;
        String answer = context + " --question who:has:kids";
        changes("--question", "answer", "is:bob:good", context);
        refused(2, "--question", "answer", "bob", "--ids 2,5,3 --model " + answerer);
        refused(2, "--question", "answer", "-", "- --model " + answerer);
        changes("--top-k", "answer", "3", answer);
        refused(2, "--top-k", "answer", "0", answer);
        changes("--max-answer-length", "answer", "1", answer + " --top-k 200");
        refused(2, "--max-answer-length", "answer", "0", answer);
        changes("--null-answer", "answer", "", answer + " --top-k 200");
        changes("--align-to-words", "answer", "", "abc:bad:cab --question a --top-k 20 --model " + answerer);
        changes("--max-length", "answer", "9", answer + " --top-k 200");
        refused(2, "--max-length", "answer", "0", answer);
        changes("--stride", "answer", "1", answer + " --max-length 12 --top-k 200");
        refused(2, "--stride", "answer", "0", answer);
        refused(1, "--stride", "answer", "300", answer);
        ids("answer", "--top-k 50 --model " + answerer);
        batches("answer", answer);
        bert("answer", answer, answerer, "{\"question\":\"bob\",\"context\":\"he is bob\"}");

        String rank = "bob he:is:bob three:kids --label good --model " + classifier;
        changes("--label", "rerank", "bad", "bob he:is:bob three:kids --model " + classifier);
        refused(1, "--label", "rerank", "worst", "bob he --model " + classifier);
        changes("--top-k", "rerank", "1", rank);
        refused(2, "--top-k", "rerank", "-1", rank);
        changes("--function", "rerank", "none", rank + " --json");
        refused(2, "--function", "rerank", "best", rank);
        changes("--max-length", "rerank", "4", rank);
        refused(2, "--max-length", "rerank", "0", rank);
        batches("rerank", rank);
        bert("rerank", rank, classifier, "{\"query\":\"bob\",\"documents\":[\"he\",\"she\"]}", "--label good");
    }

    private void collectMaskGenerate() {
        String model = " --model " + filler;
        String write = "bob:is --max-new-tokens 4 --stop-tokens two" + model;
        changes("--strategy", "mask-generate", "append", write);
        changes("--strategy", "mask-generate", "gibbs", "bob:is" + model);
        refused(2, "--strategy", "mask-generate", "beam", write);
        changes("--masks", "mask-generate", "1", write);
        refused(2, "--masks", "mask-generate", "0", write);
        refused(2, "--masks", "mask-generate", "2", write + " --strategy append");
        changes("--max-new-tokens", "mask-generate", "1", "bob" + model);
        refused(2, "--max-new-tokens", "mask-generate", "-1", "bob" + model);
        changes("--stop-tokens", "mask-generate", "two", "bob:is" + model);
        refused(1, "--stop-tokens", "mask-generate", "nowhere", "bob" + model);
        refused(2, "--stop-tokens", "mask-generate", ".", "bob --strategy gibbs" + model);
        String gibbs = "bob:is --max-new-tokens 4 --strategy gibbs --seed 3" + model;
        changes("--iterations", "mask-generate", "3", gibbs);
        refused(2, "--iterations", "mask-generate", "0", gibbs);
        refused(2, "--iterations", "mask-generate", "3", write);
        changes("--burn-in", "mask-generate", "0", gibbs + " --top-k 0 --iterations 12");
        refused(2, "--burn-in", "mask-generate", "-1", gibbs);
        refused(2, "--burn-in", "mask-generate", "3", write);
        changes("--order", "mask-generate", "left-to-right", gibbs + " --iterations 5");
        refused(2, "--order", "mask-generate", "up", gibbs);
        refused(2, "--order", "mask-generate", "random", write);
        changes("--final-temperature", "mask-generate", "0.01", gibbs + " --temperature 9.5");
        refused(2, "--final-temperature", "mask-generate", "0", gibbs);
        refused(2, "--final-temperature", "mask-generate", "2", write);
        refused(2, "--final-temperature", "mask-generate", "2", "bob --strategy gibbs --greedy" + model);
        String draw = "bob --max-new-tokens 12 --stop-tokens two --quiet" + model;
        changes("--greedy", "mask-generate", "", "bob --strategy gibbs --quiet" + model);
        refused(2, "--greedy", "mask-generate", "", draw + " --seed 1");
        changes("--temperature", "mask-generate", "9.5", draw + " --seed 1");
        refused(2, "--temperature", "mask-generate", "0", draw);
        changes("--top-k", "mask-generate", "1", draw + " --seed 1");
        refused(2, "--top-k", "mask-generate", "-1", draw);
        changes("--top-p", "mask-generate", "0.01", draw + " --seed 1");
        refused(2, "--top-p", "mask-generate", "2", draw);
        drawing("mask-generate", draw + " --seed 1", "bob" + model);
        repetition("mask-generate", draw, "bob" + model);
        changes("--seed", "mask-generate", "5", draw);
        refused(2, "--seed", "mask-generate", "x", write);
        pair("mask-generate", write);
        ids("mask-generate", "--max-new-tokens 8 --stop-tokens two" + model);
        bert("mask-generate", write, filler, "{\"text\":\"bob\"}");
    }

    private void pair(String command, String rest) {
        changes("--pair", command, "he:has:three:[MASK]", rest);
        refused(2, "--pair", command, "-", rest.replaceFirst("\\S+", "-"));
        refused(2, "--pair", command, "x", rest.replaceFirst("\\S+", "--ids 2,5,3"));
    }

    private void ids(String command, String rest) {
        String ids = "--json --ids 2,15,16,4,3,18,16,3 ";
        changes("--ids", command, "2,4,16,16,3,20,3", rest + " --json");
        refused(2, "--ids", command, "2,x", rest);
        refused(1, "--ids", command, "2,999,3", rest);
        refused(2, "--ids", command, "2,3", "bob " + rest);
        changes("--type-ids", command, "0,0,0,0,0,1,1,1", ids + rest);
        refused(2, "--type-ids", command, "0,0", ids + rest);
        refused(2, "--type-ids", command, "0,0", rest);
        refused(2, "--type-ids", command, "0,x", ids + rest);
        changes("--attention-mask", command, "1,1,1,1,1,1,0,0", ids + "--type-ids 0,0,0,1,1,1,1,1 " + rest);
        refused(2, "--attention-mask", command, "0,0", ids + rest);
        refused(2, "--attention-mask", command, "0,0", rest);
    }

    private void batches(String command, String rest) {
        changes("--batch-tokens", command, "64", rest);
        refused(2, "--batch-tokens", command, "0", rest);
    }

    private void bert(String command, String rest, Path model, String line) {
        bert(command, rest, model, line, "");
    }

    /** What all commands have that need a BERT. */
    private void bert(String command, String rest, Path model, String line, String linesNeed) {
        String inputs = rest.replace(" --model " + model, "");
        changes("--model", command, model.toString(), inputs);
        refused(1, "--model", command, folder.resolve("nowhere").toString(), inputs);
        refused(1, "--model", command, other.toString(), inputs);
        changes("--json", command, "", rest);
        refused(2, "--json", command, "", "--jsonl --model " + model);
        changes("--jsonl", command, "", (linesNeed + " --model " + model).strip(), line);
        refused(2, "--jsonl", command, "", rest);
        compute(command, rest, "bf16");
        common(command, rest, inputs + " --model " + folder.resolve("nowhere"));
    }

    private static String embeddedWeights() {
        return CommandRun.embeddedModel().resolve("model.safetensors").toString();
    }

    private void collectDialogs() {
        Path chats = Path.of("../engine/src/test/resources/dialog").toAbsolutePath().normalize();
        String text = chats.resolve("persona-chat.txt").toString();
        String json = chats.resolve("persona-chat.json").toString();
        String persona = " --quiet --model " + chats.resolve("tiny-gpt2");
        String replies = text + " --limit 4" + persona;
        String ranked = text + " --limit 2 --no-f1";
        changes("--split", "evaluate-dialog", "train", json + " --no-f1" + persona);
        refused(1, "--split", "evaluate-dialog", "test", json);
        refused(1, "--split", "evaluate-dialog", "valid", text);
        changes("--limit", "evaluate-dialog", "3", text + " --no-f1" + persona);
        refused(2, "--limit", "evaluate-dialog", "0", text);
        changes("--max-history", "evaluate-dialog", "0", text + " --no-f1" + persona);
        refused(2, "--max-history", "evaluate-dialog", "-1", text);
        changes("--candidates", "evaluate-dialog", "3", text + " --no-f1" + persona);
        refused(2, "--candidates", "evaluate-dialog", "1", text);
        refused(1, "--candidates", "evaluate-dialog", "8", text);
        changes("--seed", "evaluate-dialog", "7", replies + " --temperature 2");
        refused(2, "--seed", "evaluate-dialog", "x", text);
        changes("--no-f1", "evaluate-dialog", "", replies);
        refused(2, "--no-f1", "evaluate-dialog", "", text + " --top-k 3");
        refused(2, "--no-f1", "evaluate-dialog", "", text + " --max-new-tokens 3");
        changes("--min-new-tokens", "evaluate-dialog", "18", replies);
        refused(2, "--min-new-tokens", "evaluate-dialog", "21", text);
        refused(2, "--min-new-tokens", "evaluate-dialog", "-1", text);
        changes("--max-new-tokens", "evaluate-dialog", "2", replies);
        refused(2, "--max-new-tokens", "evaluate-dialog", "0", text);
        refused(1, "--max-new-tokens", "evaluate-dialog", "160", replies);
        // The logits of the tiny model are clear: what draws from all of its tokens has to be hot.
        changes("--temperature", "evaluate-dialog", "9", replies + " --top-k 0");
        refused(2, "--temperature", "evaluate-dialog", "0", text);
        changes("--top-k", "evaluate-dialog", "1", replies + " --temperature 9");
        refused(2, "--top-k", "evaluate-dialog", "-1", text);
        changes("--top-p", "evaluate-dialog", "0.01", replies + " --temperature 9");
        refused(2, "--top-p", "evaluate-dialog", "0", text);
        changes("--results", "evaluate-dialog", folder.resolve("results.jsonl").toString(), ranked);
        refused(1, "--results", "evaluate-dialog", folder.toString(), ranked);
        refused(1, "--results", "evaluate-dialog", folder.resolve("nowhere/x.jsonl").toString(), ranked);
        refused(1, "--results", "evaluate-dialog", text, ranked);
        changes("--json", "evaluate-dialog", "", ranked);
        changes("--model", "evaluate-dialog", chats.resolve("tiny-openai-gpt").toString(), ranked);
        refused(1, "--model", "evaluate-dialog", other.toString(), ranked);
        refused(1, "--model", "evaluate-dialog", filler.toString(), ranked);
        compute("evaluate-dialog", ranked);
        common("evaluate-dialog", ranked, folder.resolve("nowhere").toString());
    }

    private void model(String command, String rest) {
        changes("--model", command, other.toString(), rest);
        refused(1, "--model", command, folder.resolve("nowhere").toString(), rest);
    }

    private void compute(String command, String rest) {
        compute(command, rest, "f32");
    }

    /** @param weights another type than the model's own */
    private void compute(String command, String rest, String weights) {
        changes("--threads", command, "3", rest);
        refused(2, "--threads", command, "0", rest);
        refused(1, "--device", command, "opencl:99", rest);
        refused(2, "--device", command, "tpu", rest);
        refused(2, "--device", command, "gpu", (rest + " --backend vector").strip());
        changes("--backend", command, "scalar", rest);
        refused(2, "--backend", command, "best", rest);
        refused(2, "--require-simd", command, "", (rest + " --backend scalar").strip());
        changes("--weights", command, weights, rest);
        refused(2, "--weights", command, "f8", rest);
    }

    private void common(String command, String good, String bad) {
        if (good != null) {
            changes("--quiet", command, "", good);
        }
        changes("--debug", command, "", bad);
        changes("--help", command, "", bad);
    }

    @TestFactory
    List<DynamicTest> everyOptionChangesTheResultOrIsRefused() {
        collect();
        List<DynamicTest> tests = new ArrayList<>();
        cases.forEach((name, list) -> list.forEach(one -> tests
                .add(dynamicTest((one.refused == null ? "changes: " : "refused: ") + shortened(one.with),
                        () -> check(one)))));
        return tests;
    }

    private static String shortened(List<String> words) {
        String line = String.join(" ", words).replace(folder.toString(), "...");
        return line.length() > 100 ? line.substring(0, 100) : line;
    }

    private static CommandRun run(String input, List<String> words) {
        try (Stream<Path> files = Files.exists(converted()) ? Files.walk(converted()) : Stream.empty()) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return CommandRun.withInput(input, words.toArray(String[]::new));
    }

    private static void check(Case one) {
        CommandRun with = run(one.input, one.with);
        if (one.refused != null) {
            assertThat(with.status()).as(with.err()).isEqualTo(one.refused);
            assertThat(with.err().lines().toList()).hasSize(1).first().asString()
                    .startsWith("gpt2 " + one.with.get(0) + ": ");
            assertThat(with.out()).isEmpty();
            return;
        }
        boolean timed = TIMED.contains(one.with.get(0));
        String result = timeless(with, timed) + written(one.with);
        CommandRun without = run(one.input, one.without);
        assertThat(result).isNotEqualTo(timeless(without, timed) + written(one.without));
        assertThat(with.status()).as(with.err()).isLessThanOrEqualTo(without.status());
    }

    /** What the file of {@code forward} or of {@code --html} holds. */
    private static String written(List<String> line) {
        int option = Math.max(line.indexOf("--output"), line.indexOf("--html"));
        try {
            return option < 0
                    ? ""
                    : "file " + Arrays.hashCode(Files.readAllBytes(Path.of(line.get(option + 1))));
        } catch (IOException e) {
            return "no file";
        }
    }

    /** Without what differs from run to run: seconds and speeds. */
    private static String timeless(CommandRun run, boolean timed) {
        return run.status() + "\n" + (timed ? timeless(run.out()) : run.out()) + "\n" + timeless(run.err());
    }

    private static String timeless(String text) {
        return text.replaceAll("\\d+\\.\\d+(E-?\\d+)?( \\+- \\d+\\.\\d+)?", "#");
    }

    @Test
    void everyOptionHasACase() {
        collect();
        TreeSet<String> options = new TreeSet<>();
        ByteArrayOutputStream nowhere = new ByteArrayOutputStream();
        Streams streams = new Streams(System.in, new StandardOutput(nowhere),
                new PrintStream(nowhere, true, StandardCharsets.UTF_8),
                false);
        CommandLine line = new Cli(new Context(streams, new Interruption(), HeadStart.none())).commandLine();
        for (Map.Entry<String, CommandLine> command : line.getSubcommands().entrySet()) {
            for (OptionSpec option : command.getValue().getCommandSpec().options()) {
                options.add(command.getKey() + " " + option.longestName());
            }
        }
        // --require-simd shows only where there is no SIMD (see JarIT); here it is refused where it makes no sense.
        assertThat(new TreeSet<>(cases.keySet())).isEqualTo(options);
        assertThat(line.getSubcommands()).allSatisfy((name, command) -> {
            assertThat(command.getUsageMessage()).as(name).contains("Example: java -jar gpt2.jar " + name);
            assertThat(command.getCommandSpec().args()).as(name).allMatch(OptionsWalkTest::isDescribed);
        });
    }

    private static boolean isDescribed(ArgSpec argument) {
        return argument.description().length > 0 && !argument.description()[0].isBlank();
    }

    @Test
    void optionsOfLaterVersionsAreRefused() {
        for (String option : List.of("--lora=x", "--no-such-option")) {
            CommandRun run = CommandRun.of("generate", "Once", option);
            assertThat(run.status()).as(option).isEqualTo(2);
            assertThat(run.err()).hasLineCount(1).contains(option.split("=")[0]);
        }
    }
}
