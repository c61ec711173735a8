using TypedWeights.Checkpoints;
using TypedWeights.Memory;
using TypedWeights.Sources;

namespace TypedWeights.Tests.Format;

public class HeaderBudgetTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1_000_000, long.MaxValue, "the option MemoryLimit")]
    [InlineData(null, 1_000_000, "TransferOptions.BufferLimit")]
    public async Task A_header_beyond_the_memory_limits_is_refused_before_it_is_requested(int? memoryLimit, long bufferLimit, string limit)
    {
        var source = new CountingSource(Headers.File("{}" + new string(' ', 300_000)));
        var budget = new HeaderBudget(memoryLimit is { } most ? MemoryBound.Of(most) : MemoryBound.None, bufferLimit);

        var error = await Assert.ThrowsAsync<MemoryLimitException>(async () => await source.ReadHeaderAsync(budget, Token));

        Assert.Equal((1_000_000L, 1_200_008L), (error.Limit, error.BufferBytes));
        Assert.Contains(limit, error.Message, StringComparison.Ordinal);
        Assert.Contains("a header of 300,002 bytes was not read", error.Message, StringComparison.Ordinal);
        Assert.Equal(8, source.BytesRead);
    }

    [Fact]
    public async Task The_headers_of_all_shards_count_towards_one_memory_limit()
    {
        byte[] file = Headers.File("{}" + new string(' ', 100_000));
        var budget = new HeaderBudget(MemoryBound.Of(1_000_000));

        Assert.Empty((await new CountingSource(file).ReadHeaderAsync(budget, Token)).Tensors);
        Assert.Empty((await new CountingSource(file).ReadHeaderAsync(budget, Token)).Tensors);
        await Assert.ThrowsAsync<MemoryLimitException>(async () => await new CountingSource(file).ReadHeaderAsync(budget, Token));
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(2_000_000)]
    public async Task The_SHA256_of_a_header_is_the_digest_of_its_bytes_for_short_and_long_headers(int padding)
    {
        byte[] file = Headers.File("""{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""" + new string(' ', padding));

        SafeTensorsHeader header = await new BytesSource(file).ReadHeaderAsync(Token);

        Assert.Equal("a", Assert.Single(header.Tensors).Name);
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(file.AsSpan(8))), header.Sha256);
    }

    private sealed class CountingSource(byte[] bytes) : IWeightSource
    {
        private readonly BytesSource _inner = new(bytes);

        public long BytesRead { get; private set; }

        public string Display => "counted";

        public long Length => bytes.Length;

        public string? Validator => null;

        public ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken)
        {
            BytesRead += length;
            return _inner.OpenRangeAsync(offset, length, cancellationToken);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
