using TypedWeights.Checkpoints;
using TypedWeights.Sources;
using TypedWeights.Sources.File;

namespace TypedWeights.Tests.Checkpoints;

public sealed class CorpusShardedTests
{
    private const int Count = 32;

    public static TheoryData<string> Cases => [.. Corpus.Sharded.Select(static c => c.Case)];

    [Fact]
    public void Every_sharded_case_of_the_corpus_is_on_the_disk()
    {
        Assert.Equal(Count, Corpus.Sharded.Count);
        Assert.Equal(
            Corpus.Sharded.Select(static c => c.Case).Order(),
            Directory.EnumerateDirectories(Path.Combine(Corpus.Root, "sharded")).Select(Path.GetFileName).Order());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_sharded_model_of_the_corpus_gets_the_recorded_verdict(string name)
    {
        ShardedCase c = Corpus.Sharded.Single(c => c.Case == name);
        if (c.Verdict == "reject")
        {
            var error = await Assert.ThrowsAsync<SafeTensorsFormatException>(() => ReadAsync(c));
            Assert.Equal(KindOf(c.Category), error.Kind);
            return;
        }

        await using Checkpoint checkpoint = await ReadAsync(c);
        if (c.Verdict == "accept")
        {
            Assert.Empty(checkpoint.Warnings);
            Assert.NotEmpty(checkpoint.Tensors);
        }
        else
        {
            Assert.Equal("accept-with-warning", c.Verdict);
            Assert.Single(checkpoint.Warnings);
        }

        Assert.All(checkpoint.Tensors, pair => Assert.Contains(pair.Value.Info, checkpoint.Files[pair.Value.File].Header.Tensors));
        Assert.Equal(checkpoint.Files.Sum(static file => file.Header.Tensors.Count), checkpoint.Tensors.Count);
        Assert.Subset(c.Files.ToHashSet(), checkpoint.Files.Select(static file => file.Name).ToHashSet());
    }

    private static async Task<Checkpoint> ReadAsync(ShardedCase c)
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        await using var provider = new FileProvider();
        var uri = WeightUri.Parse($"Corpus/sharded/{c.Case}/{c.Index}");
        return await CheckpointReader.ReadAsync(uri, await provider.LocateAsync(uri, token), token);
    }

    private static SafeTensorsErrorKind KindOf(string category) => category switch
    {
        "json" or "schema" or "duplicate" => SafeTensorsErrorKind.InvalidIndex,
        "missing-shard" => SafeTensorsErrorKind.MissingShard,
        "wrong-shard" or "missing-tensor" => SafeTensorsErrorKind.TensorNotInShard,
        "unsafe-path" => SafeTensorsErrorKind.UnsafeShardName,
        "bad-shard" => SafeTensorsErrorKind.HeaderTooLarge,
        _ => throw new ArgumentOutOfRangeException(nameof(category), category, "a category without an expected kind"),
    };
}
