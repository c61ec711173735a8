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
    public async Task A_header_that_the_limits_do_not_allow_is_refused_before_it_is_asked_for(int? memoryLimit, long bufferLimit, string limit)
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
    public async Task Headers_of_shards_count_together()
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
    public async Task Short_and_long_headers_read_alike_and_have_the_digest_of_their_bytes(int padding)
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
