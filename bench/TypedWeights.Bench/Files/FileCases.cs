using TorchSharp;
using TorchSharp.PyBridge;
using TypedWeights.Bench.Http;
using TypedWeights.Checkpoints;
using TypedWeights.Sources.File;
using static TorchSharp.torch;

namespace TypedWeights.Bench.Files;

/// <summary>The ways to load the file into new tensors.</summary>
internal static class FileCases
{
    public const string PyBridge = "TorchSharp.PyBridge";
    public const string AllBytes = "File.ReadAllBytes, then copy";
    public const string HttpClient = "HttpClient × 4, new memory";

    /// <summary>Returns one of the ways, by the name of a <see cref="TensorStorage"/> or one of the names in this class.</summary>
    public static Case Case(string name, string path) => new(name, () => Sample.OfAsync(async () => await LoadAsync(name, path)));

    /// <summary>Loads the file. Disposing the result frees the tensors.</summary>
    public static async Task<IDisposable> LoadAsync(string name, string path)
    {
        if (Enum.TryParse(name, out TensorStorage storage))
        {
            return await WeightLoader.Default.LoadTensorsAsync(path, new TensorLoadOptions { Storage = storage });
        }

        if (name == HttpClient)
        {
            return await BareClient.DownloadAsync(path, tasks: 4);
        }

        return new Tensors(name == PyBridge ? Safetensors.LoadStateDict(path).Values : await CopyAsync(path));
    }

    // What a user writes by hand, header parsing apart: the file into one array, then into tensors.
    private static async Task<IReadOnlyCollection<Tensor>> CopyAsync(string path)
    {
        await using FileSource source = FileSource.Open(path, path);
        SafeTensorsHeader header = await source.ReadHeaderAsync();
        byte[] bytes = File.ReadAllBytes(path);
        return [.. header.Tensors.Select(info => Copied(info, bytes.AsSpan((int)(header.DataStart + info.Begin), (int)info.ByteLength)))];
    }

    private static Tensor Copied(TensorInfo info, ReadOnlySpan<byte> bytes)
    {
        Tensor tensor = empty(info.Shape.ToInt64Array(), ScalarType.BFloat16);
        bytes.CopyTo(tensor.bytes);
        return tensor;
    }

    private sealed class Tensors(IReadOnlyCollection<Tensor> tensors) : IDisposable
    {
        public void Dispose()
        {
            foreach (Tensor tensor in tensors)
            {
                tensor.Dispose();
            }
        }
    }
}
