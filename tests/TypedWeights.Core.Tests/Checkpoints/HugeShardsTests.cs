using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using TypedWeights.Checkpoints;
using TypedWeights.Sources;

namespace TypedWeights.Tests.Checkpoints;

public sealed class HugeShardsTests
{
    [Fact]
    public async Task Shards_whose_total_length_does_not_fit_in_64_bits_are_refused()
    {
        var error = await Assert.ThrowsAsync<SafeTensorsFormatException>(
            async () => await CheckpointReader.ReadAsync(WeightUri.Parse("x"), new Shards(), TestContext.Current.CancellationToken));
        Assert.Equal(SafeTensorsErrorKind.InvalidIndex, error.Kind);
        Assert.Contains("2^63", error.Message, StringComparison.Ordinal);
    }

    // Ten files of an exabyte, as a server may say it has.
    private sealed class Shards : IWeightLocation
    {
        private const long Exabyte = 1L << 60;

        public string EntryName => "model.safetensors.index.json";

        public string? Revision => null;

        public ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken)
        {
            if (name == EntryName)
            {
                var map = Enumerable.Range(0, 10).ToDictionary(i => $"{i}", i => $"{i}.safetensors");
                return ValueTask.FromResult<IWeightSource>(new BytesSource(JsonSerializer.SerializeToUtf8Bytes(new { weight_map = map })));
            }

            string tensor = Path.GetFileNameWithoutExtension(name);
            byte[] header = Encoding.UTF8.GetBytes(
                $$$"""{"{{{tensor}}}":{"dtype":"U8","shape":[{{{Exabyte}}}],"data_offsets":[0,{{{Exabyte}}}]}}""");
            byte[] bytes = new byte[8 + header.Length];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, header.Length);
            header.CopyTo(bytes, 8);
            return ValueTask.FromResult<IWeightSource>(new Shard(new BytesSource(bytes), bytes.Length + Exabyte));
        }
    }

    private sealed class Shard(BytesSource start, long length) : IWeightSource
    {
        public string Display => start.Display;

        public long Length => length;

        public string? Validator => null;

        public ValueTask<IRangeReader> OpenRangeAsync(long offset, long count, CancellationToken cancellationToken) =>
            start.OpenRangeAsync(offset, Math.Min(count, start.Length - offset), cancellationToken);

        public ValueTask DisposeAsync() => start.DisposeAsync();
    }
}
