using System.Globalization;
using System.Text.RegularExpressions;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Loading.Early;

/// <summary>A server with the layered model that can be made to hold back or refuse some of its tensors.</summary>
public abstract partial class EarlyTest : IAsyncLifetime
{
    private protected const string Path = "/model.safetensors";

    private protected static TransferOptions Options { get; } = new()
    {
        MinConnections = 4,
        MaxConnections = 4,
        PartSize = 64 << 10,
        StallTimeout = TimeSpan.FromMinutes(5),
        RetryDelay = TimeSpan.FromMilliseconds(10),
    };

    private protected FaultServer Server { get; private set; } = null!;

    private protected string Uri => Server.Address + Path;

    /// <summary>What the server sends is held back until this ends.</summary>
    private protected TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async ValueTask InitializeAsync()
    {
        Server = await FaultServer.StartAsync();
        Server.Files[Path] = ServedFile.Strong(TestFile.Bytes(LayeredModel.File, LayeredModel.Tied));
    }

    public async ValueTask DisposeAsync()
    {
        Gate.TrySetResult();
        await Server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected static WeightLoader Loader(TransferOptions? options = null) =>
        new WeightLoaderBuilder().UseTransferOptions(options ?? Options).Build();

    private protected Task<LayeredModel> BeginAsync(
        WeightLoader loader,
        LoadOptions? options = null,
        IProgress<LoadProgress>? progress = null,
        CancellationToken? token = null,
        string? source = null) =>
        loader.BeginLoadAsync<LayeredModel>(source ?? Uri, options, progress, token ?? TestContext.Current.CancellationToken);

    /// <summary>Answers requests for bytes of some layers in another way.</summary>
    private protected void AnswerLayers(Func<int, bool> layers, Fault fault) => Server.Answer = request =>
        request.IsPayload && Names(request).Any(name => Layer(name) is { } layer && layers(layer)) ? fault : null;

    /// <summary>Holds requests for bytes of some layers back.</summary>
    private protected void HoldLayers(Func<int, bool> layers) => AnswerLayers(layers, async request =>
    {
        await Gate.Task.WaitAsync(request.Aborted);
        await Respond.Serve(request);
    });

    /// <summary>The tensors that a request has bytes of, in the order of the file.</summary>
    private protected static IReadOnlyList<string> Names(FaultRequest request)
    {
        long end = request.File!.DataStart;
        var names = new List<string>();
        foreach (TestFile.Entry entry in LayeredModel.File)
        {
            long begin = end;
            end += entry.Data.Length;
            if (begin <= request.To && end > request.From)
            {
                names.Add(entry.Name);
            }
        }

        return names;
    }

    private protected static int? Layer(string name) =>
        LayerName().Match(name) is { Success: true } match ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : null;

    /// <summary>Waits as long as a test may.</summary>
    private protected static Task Soon(Task task) => task.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);

    [GeneratedRegex(@"layers\.(\d+)\.")]
    private static partial Regex LayerName();
}
