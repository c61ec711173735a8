using Google.Apis.Auth.OAuth2;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.Gcs;

/// <summary>Loads from the fixture with a service account's tokens.</summary>
public abstract class GcsTest : StoreTest<GcsOptions>
{
    // The machine's own login stays out of it.
    private readonly Variables _variables = new(("GOOGLE_APPLICATION_CREDENTIALS", null), ("STORAGE_EMULATOR_HOST", null));

    private protected TokenFixture Tokens { get; private set; } = null!;

    private protected GcsFixture Store { get; private set; } = null!;

    private protected GcsOptions Options => new()
    {
        Endpoint = Store.Address,
        Credential = CredentialFactory.FromJson(Tokens.KeyFile, JsonCredentialParameters.ServiceAccountCredentialType),
    };

    private protected static string Uri(string name) => $"gs://{GcsFixture.Bucket}/{name}";

    public override async ValueTask InitializeAsync()
    {
        Tokens = await TokenFixture.StartAsync();
        Store = await GcsFixture.StartAsync(Tokens);
        Store.Put(NoiseFile.Name, NoiseFile.Bytes);
        Secrets.AddRange([.. Tokens.Secrets, "s3cret"]);
    }

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _variables.Dispose();
        await Store.DisposeAsync();
        await Tokens.DisposeAsync();
    }

    private protected override WeightLoaderBuilder Use(WeightLoaderBuilder builder, GcsOptions? options) => builder.UseGcs(options ?? Options);
}
