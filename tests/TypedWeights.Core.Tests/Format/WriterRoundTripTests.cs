using CsCheck;

namespace TypedWeights.Tests.Format;

public sealed class WriterRoundTripTests
{
    // Control characters, quotes and letters, and characters that UTF-16 and UTF-8 sort differently.
    private static readonly Gen<string> Text = Gen.OneOf(Gen.Int[0, 0x7F], Gen.Int[0x80, 0xD7FF], Gen.Int[0xE000, 0x10FFFF])
        .Array[0, 10].Select(static points => string.Concat(points.Select(char.ConvertFromUtf32)));

    private static readonly Gen<(DType DType, ulong[] Shape)> Kind = Gen.Select(
        Gen.Int[0, DTypes.All.Count - 1].Select(static i => DTypes.All[i]),
        Gen.ULong[0, 5].Array[0, 5],
        static (dtype, shape) => (dtype, Fit(dtype, shape)));

    private static readonly Gen<(string Name, DType DType, ulong[] Shape, byte[] Data)> Tensor =
        Gen.Select(Text, Kind).SelectMany(static (name, kind) =>
            Gen.Byte.Array[ByteLength(kind.DType, kind.Shape)].Select(data => (name, kind.DType, kind.Shape, data)));

    [Fact]
    public async Task A_written_file_is_read_back_unchanged_and_written_again_with_identical_bytes()
    {
        using var folder = new TempFolder();
        CancellationToken token = TestContext.Current.CancellationToken;
        var model = Gen.Select(
            Tensor.Array[0, 8].Select(static tensors => tensors.DistinctBy(static t => t.Name).ToArray()),
            Gen.Dictionary(Text, Text)[0, 4]);
        await model.SampleAsync(
            async (tensors, metadata) =>
            {
                string path = folder[Guid.NewGuid() + ".safetensors"];
                SafeTensorsEntry[] entries = [.. tensors.Select(static t => Entry(t.Name, t.DType, t.Shape, t.Data))];
                await SafeTensorsWriter.WriteAsync(path, entries, metadata, token);

                byte[] bytes = await File.ReadAllBytesAsync(path, token);
                SafeTensorsHeader header = await Headers.ReadAsync(bytes);
                Assert.Equal(0, header.DataStart % 8);
                Assert.Equal(metadata, header.Metadata.ToDictionary());
                Assert.Equal(tensors.Length, header.Tensors.Count);
                foreach (var t in tensors)
                {
                    TensorInfo found = header.Tensors.Single(info => info.Name == t.Name);
                    Assert.Equal((t.DType, new TensorShape(t.Shape)), (found.DType, found.Shape));
                    Assert.Equal(t.Data, bytes.AsSpan((int)(header.DataStart + found.Begin), (int)found.ByteLength).ToArray());
                }

                // Empty tensors share a place, where the reader orders them by name.
                DType[] order = [.. header.Tensors.Where(static t => t.ByteLength > 0).Select(static t => t.DType)];
                Assert.Equal(order.OrderDescending(), order);
                if (metadata.Count > 0)
                {
                    await Rewriting.AssertSameBytesAsync(path, path + ".again", token);
                }
            },
            iter: 150,
            threads: 1);
    }

    private static SafeTensorsEntry Entry(string name, DType dtype, ulong[] shape, byte[] data) =>
        new(name, dtype, new TensorShape(shape), async (stream, token) =>
        {
            // In pieces, synchronous and not.
            int half = data.Length / 2;
            stream.Write(data, 0, half);
            await stream.WriteAsync(data.AsMemory(half), token);
        });

    // Elements narrower than a byte must fill whole ones: four of them always do.
    private static ulong[] Fit(DType dtype, ulong[] shape) => dtype.BitSize() % 8 == 0 ? shape : [.. shape, 4];

    private static int ByteLength(DType dtype, ulong[] shape) =>
        (int)shape.Aggregate(1UL, static (product, dimension) => product * dimension) * dtype.BitSize() / 8;
}
