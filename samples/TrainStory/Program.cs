using System.CommandLine;
using QuickStart;
using TorchSharp;
using TrainStory.Stories;
using TrainStory.Training;
using TypedWeights;

// Trains the model of samples/QuickStart, in about 20 minutes on one core: dotnet run -c Release --project samples/TrainStory
var output = new Option<DirectoryInfo>("--output")
{
    Description = "Folder for model.safetensors, config.json and vocab.txt.",
    DefaultValueFactory = _ => new("samples/QuickStart/story"),
};
var steps = new Option<int>("--steps") { Description = "The number of batches to train on.", DefaultValueFactory = _ => 9000 };
var seed = new Option<int>("--seed") { Description = "The same seed always produces the same model or stories.", DefaultValueFactory = _ => 1 };
var threads = new Option<int>("--threads") { Description = "The number of threads for the computation.", DefaultValueFactory = _ => 1 };
var tell = new Option<int>("--tell") { Description = "Print this many stories of the sentence maker instead of training." };
var command = new RootCommand("Trains a small Llama on the stories of a sentence maker.") { output, steps, seed, threads, tell };
command.SetAction(async (arguments, cancellationToken) =>
{
    if (arguments.GetValue(tell) is int count and > 0)
    {
        var maker = new StoryMaker(arguments.GetValue(seed));
        Console.WriteLine(string.Join("\n\n", Enumerable.Range(0, count).Select(_ => maker.Tell())));
        return 0;
    }

    TorchNative.EnsureLoaded();
    torch.set_num_threads(arguments.GetValue(threads));
    torch.random.manual_seed(arguments.GetValue(seed));
    StoryTokenizer tokenizer = Vocabulary.Collect();
    LlamaConfig config = new()
    {
        VocabSize = tokenizer.Words.Count,
        HiddenSize = 128,
        IntermediateSize = 320,
        NumHiddenLayers = 4,
        NumAttentionHeads = 8,
        NumKeyValueHeads = 4,
        MaxPositionEmbeddings = 320,
        BosTokenId = tokenizer.Begin,
        EosTokenId = tokenizer.End,
    };
    using var model = new Llama(config);
    Console.WriteLine($"{model.parameters().Sum(weight => weight.numel()):N0} weights, {tokenizer.Words.Count} words");
    Trainer.Run(model, new Batches(tokenizer, arguments.GetValue(seed), size: 8), arguments.GetValue(steps), cancellationToken);
    await Checkpoint.SaveAsync(arguments.GetValue(output)!, model, config, tokenizer, cancellationToken);
    foreach (string story in Sampler.Tell(model, tokenizer, config, count: 3))
    {
        Console.WriteLine($"\n{story}");
    }

    return 0;
});
return await command.Parse(args).InvokeAsync();
