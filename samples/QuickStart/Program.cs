using System.CommandLine;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using QuickStart;
using Spectre.Console;
using TorchSharp;
using TypedWeights;

var uri = new Option<string?>("--uri") { Description = "A path or http(s)://… to load from, instead of the file beside the program." };
var device = new Option<string>("--device") { Description = "The device to run on: cpu or cuda:0.", DefaultValueFactory = _ => "cpu" };
var seed = new Option<int>("--seed") { Description = "The same seed always produces the same story.", DefaultValueFactory = _ => 1 };
var tokens = new Option<int>("--tokens") { Description = "The most words and punctuation marks to write.", DefaultValueFactory = _ => 300 };
var prompt = new Option<string>("--prompt") { Description = "The beginning of the story.", DefaultValueFactory = _ => "Once upon a time" };
var command = new RootCommand("Streams a small language model into a typed class and writes a story with it.")
{
    uri, device, seed, tokens, prompt,
};
command.SetAction(async (arguments, cancellationToken) =>
{
    try
    {
        using StoryModel model = await LoadingBar.ShowAsync("StoryModel", progress =>
        {
            LoadOptions options = new() { Device = torch.device(arguments.GetValue(device)!) };
            return arguments.GetValue(uri) is { } source
                ? StoryModel.LoadAsync(source, options, progress, cancellationToken)
                : StoryModel.LoadAsync(options, progress, cancellationToken);
        });
        var paths = StoryModel.Paths;
        Show(paths.Model.EmbedTokens.Weight, model.Model.EmbedTokens.Weight);
        Show(paths.Model.Layers[0].SelfAttn.QProj.Weight, model.Model.Layers[0].SelfAttn.QProj.Weight);
        Show(paths.Model.Layers[0].SelfAttn.KProj.Weight, model.Model.Layers[0].SelfAttn.KProj.Weight);
        Show(paths.Model.Layers[^1].Mlp.DownProj.Weight, model.Model.Layers[^1].Mlp.DownProj.Weight);
        Show(paths.Model.Norm.Weight, model.Model.Norm.Weight);
        Show(paths.LmHead.Weight, model.LmHead.Weight);

        torch.set_num_threads(1); // A model this small is faster on one core than on several.
        var story = Storyteller.Open(model, Path.Combine(AppContext.BaseDirectory, "story"));
        var watch = Stopwatch.StartNew();
        Console.WriteLine();
        foreach (string piece in story.Tell(arguments.GetValue(prompt)!, arguments.GetValue(seed), arguments.GetValue(tokens)))
        {
            Console.Write(piece);
        }

        Console.WriteLine($"\n\n{story.TokensWritten} tokens, {story.TokensWritten / watch.Elapsed.TotalSeconds:N0} tokens/s");
        return 0;
    }
    catch (Exception e) when (e is WeightsException or ArgumentException or InvalidOperationException)
    {
        await Console.Error.WriteLineAsync(e.Message);
        return 1;
    }
});
return await command.Parse(args).InvokeAsync();

// Prints the dtype and shape from the snapshot, and the device of the loaded tensor.
static void Show(WeightPath path, torch.Tensor weight, [CallerArgumentExpression(nameof(weight))] string expression = "") =>
    AnsiConsole.MarkupLineInterpolated($"[grey]{expression.PadRight(48)}[/] {path.DType.Name()} {path.Shape} on {weight.device}");
