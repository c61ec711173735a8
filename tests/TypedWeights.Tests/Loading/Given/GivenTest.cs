namespace TypedWeights.Tests.Loading.Given;

/// <summary>Loads of files that the caller hands over, in each of the ways that there are.</summary>
public abstract class GivenTest
{
    private protected const string Memory = "memory";
    private protected const string Seekable = "a stream that can seek";
    private protected const string Forward = "a stream that cannot seek";

    public static TheoryData<string> Ways => [Memory, Seekable, Forward];

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The beginning of each message about a file that was handed over so.</summary>
    private protected static string NameOf(string way) => way == Memory ? "memory: " : "stream: ";

    private protected static Task<WeightSet> LoadTensorsAsync(string way, byte[] file, TensorLoadOptions? options = null) => way switch
    {
        Memory => SafeTensors.LoadAsync(file.AsMemory(), options, cancellationToken: Token),
        Seekable => SafeTensors.LoadAsync(new MemoryStream(file), options, cancellationToken: Token),
        _ => SafeTensors.LoadAsync(new ForwardStream(file), options, cancellationToken: Token),
    };

    private protected static Task<TinyModel> LoadAsync(string way, byte[] file, LoadOptions? options = null) => way switch
    {
        Memory => TinyModel.LoadAsync(file.AsMemory(), options, cancellationToken: Token),
        Seekable => TinyModel.LoadAsync(new MemoryStream(file), options, cancellationToken: Token),
        _ => TinyModel.LoadAsync(new ForwardStream(file), options, cancellationToken: Token),
    };
}
