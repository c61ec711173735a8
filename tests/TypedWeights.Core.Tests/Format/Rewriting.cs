using TypedWeights.Checkpoints;
using TypedWeights.Sources;
using TypedWeights.Sources.File;

namespace TypedWeights.Tests.Format;

/// <summary>Reads a file and writes it again from what was read.</summary>
internal static class Rewriting
{
    public static async Task AssertSameBytesAsync(string from, string to, CancellationToken token)
    {
        await using FileSource source = FileSource.Open(from, from);
        SafeTensorsHeader header = await source.ReadHeaderAsync(token);
        var entries = new List<SafeTensorsEntry>();
        foreach (TensorInfo tensor in header.Tensors)
        {
            byte[] bytes = await source.ReadAsync(header.DataStart + tensor.Begin, (int)tensor.ByteLength, token);
            entries.Add(new SafeTensorsEntry(tensor.Name, tensor.DType, tensor.Shape, bytes));
        }

        // The order in which they are given must not show in the file.
        entries.Reverse();
        await SafeTensorsWriter.WriteAsync(to, entries, header.Metadata.Count == 0 ? null : header.Metadata, token);
        Assert.Equal(await File.ReadAllBytesAsync(from, token), await File.ReadAllBytesAsync(to, token));
    }
}
