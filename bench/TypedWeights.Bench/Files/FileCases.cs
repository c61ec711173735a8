using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Sources.File;

namespace TypedWeights.Bench.Files;

/// <summary>The ways to load the file into new tensors.</summary>
internal static class FileCases
{
    public const string AllBytes = "File.ReadAllBytes, then copy";
    public const string StreamPerTensor = "FileStream for each tensor, then copy";

    /// <summary>Returns one of the ways, by the name of a <see cref="TensorStorage"/> or one of the names in this class.</summary>
    public static Case Case(string name, string path) => new(name, () => Sample.OfAsync(async () => await LoadAsync(name, path)));

    /// <summary>Loads the file. Disposing the result frees the tensors.</summary>
    public static async Task<IDisposable> LoadAsync(string name, string path)
    {
        if (Enum.TryParse(name, out TensorStorage storage))
        {
            return await WeightLoader.Default.LoadTensorsAsync(path, new TensorLoadOptions { Storage = storage });
        }

        await using FileSource source = FileSource.Open(path, path);
        SafeTensorsHeader header = await source.ReadHeaderAsync();
        return new Tensors(name == AllBytes ? NaiveLoads.AllBytes(path, header) : NaiveLoads.StreamPerTensor(path, header));
    }

    private sealed class Tensors(List<torch.Tensor> tensors) : IDisposable
    {
        public void Dispose() => tensors.ForEach(static tensor => tensor.Dispose());
    }
}
