using TorchSharp;

namespace QuickStart.Tests;

/// <summary>The sample's own model, loaded once. Its tests run one after the other, since one of them counts tensors.</summary>
[CollectionDefinition(Collection)]
public sealed class StoryFixture : IAsyncLifetime, ICollectionFixture<StoryFixture>
{
    public const string Collection = "story";

    public static string Folder => Path.Combine(AppContext.BaseDirectory, "story");

    public StoryModel Model { get; private set; } = null!;

    public LlamaConfig Config { get; } = LlamaConfig.Load(Path.Combine(Folder, "config.json"));

    public StoryTokenizer Tokenizer { get; } = StoryTokenizer.Load(Path.Combine(Folder, "vocab.txt"));

    public async ValueTask InitializeAsync()
    {
        Model = await StoryModel.LoadAsync();
        torch.set_num_threads(1);
    }

    public ValueTask DisposeAsync()
    {
        Model.Dispose();
        return ValueTask.CompletedTask;
    }
}
