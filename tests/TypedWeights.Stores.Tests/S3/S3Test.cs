namespace TypedWeights.Tests.Stores.S3;

/// <summary>Loads from a bucket on Ceph's gateway.</summary>
public abstract class S3Test : StoreTest<S3Options>
{
    private protected CephBucket Bucket { get; private set; } = null!;

    public override async ValueTask InitializeAsync()
    {
        Bucket = await CephBucket.CreateAsync();
        Secrets.Add((await Bucket.Keys.GetCredentialsAsync()).SecretKey);
    }

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Bucket is not null)
        {
            await Bucket.DisposeAsync();
        }
    }

    private protected override WeightLoaderBuilder Use(WeightLoaderBuilder builder, S3Options? options) => builder.UseS3(options ?? Bucket.Options);
}
