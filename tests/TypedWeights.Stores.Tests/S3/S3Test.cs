using System.Text.RegularExpressions;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.S3;

/// <summary>Loads from a bucket on Ceph's gateway.</summary>
public abstract class S3Test : IAsyncLifetime
{
    private protected static TransferOptions Quick { get; } = new()
    {
        MinConnections = 4,
        MaxConnections = 4,
        PartSize = 512 << 10,
        Attempts = 3,
        RetryDelay = TimeSpan.FromMilliseconds(30),
    };

    private protected CephBucket Bucket { get; private set; } = null!;

    public virtual async ValueTask InitializeAsync() => Bucket = await CephBucket.CreateAsync();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Bucket is not null)
        {
            await Bucket.DisposeAsync();
        }
    }

    private protected WeightLoader Loader(S3Options? options = null) =>
        new WeightLoaderBuilder().UseTransferOptions(Quick).UseS3(options ?? Bucket.Options).Build();

    private protected async Task AssertLoadsAsync(string uri, S3Options? options = null)
    {
        await using WeightLoader loader = Loader(options);
        using WeightSet weights = await loader.LoadTensorsAsync(uri, cancellationToken: TestContext.Current.CancellationToken);
        NoiseFile.AssertIn(weights);
    }

    private protected async Task<WeightSourceException> AssertFailsAsync(string pattern, string uri, S3Options? options = null)
    {
        long before = NativeTensors.Count();
        await using WeightLoader loader = Loader(options);
        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => loader.LoadTensorsAsync(uri, cancellationToken: TestContext.Current.CancellationToken));
        NativeTensors.AssertNoneSince(before);
        Assert.True(Regex.IsMatch(error.Message, pattern), error.Message);
        Assert.DoesNotContain(
            "secret",
            error.ToString().Replace("secret key does not belong", "", StringComparison.Ordinal),
            StringComparison.OrdinalIgnoreCase);
        return error;
    }
}
