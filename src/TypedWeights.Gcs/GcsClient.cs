using Google.Api.Gax;
using Google.Apis.Auth.OAuth2;
using Google.Cloud.Storage.V1;
using TypedWeights.Errors;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.Gcs;

/// <summary>What the requests for ranges take from a client of Google's library: the address of the service, and credentials.</summary>
/// <param name="Endpoint">The address of the service.</param>
/// <param name="UserProject">The project that pays; null for the owner.</param>
/// <param name="Credential">The credentials; null for none.</param>
/// <param name="Name">The credentials as messages may name them.</param>
internal sealed record GcsClient(Uri Endpoint, string? UserProject, ITokenAccessWithHeaders? Credential, string Name)
{
    private const string Scope = "https://www.googleapis.com/auth/devstorage.read_only";
    private const string Emulator = "STORAGE_EMULATOR_HOST";
    private const string File = "GOOGLE_APPLICATION_CREDENTIALS";
    private const string Metadata = "GCE_METADATA_HOST";
    private const string QuotaProject = "GOOGLE_CLOUD_QUOTA_PROJECT";

    /// <summary>Takes the application's client, or has Google's library build one from the options and the environment.</summary>
    /// <param name="context">The loader's connections.</param>
    /// <param name="options">The options, which come first.</param>
    public static async Task<GcsClient> GetAsync(StoreContext context, GcsOptions options)
    {
        if (options.Client is { } own)
        {
            return Of(options, own, own.Service.HttpClientInitializer, "GcsOptions.Client has none", "the credentials of GcsOptions.Client");
        }

        string nothing = options.Anonymous ? "as GcsOptions.Anonymous requires" : $"{Emulator} is set";
        var builder = new StorageClientBuilder
        {
            BaseUri = options.Endpoint?.AbsoluteUri,
            Credential = options.Anonymous ? null : options.Credential?.CreateScoped(Scope),
            EmulatorDetection = options.Endpoint is null ? EmulatorDetection.EmulatorOrProduction : EmulatorDetection.None,
            HttpClientFactory = new LoaderClients(context),
            UnauthenticatedAccess = options.Anonymous,
        };
        StorageClient client;
        try
        {
            // Google's library keeps the outcome of its search for the whole process, also a cancellation.
            client = await builder.BuildAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (InvalidOperationException e) when (e.InnerException is null && StoreSetting.Of(File) is null)
        {
            // There are no credentials. The object may be public.
            nothing = $"there are none: log in with gcloud auth application-default login, or set {File}";
            builder.UnauthenticatedAccess = true;
            client = await builder.BuildAsync(CancellationToken.None).ConfigureAwait(false);
        }

        if (client.Service.HttpClientInitializer is not GoogleCredential found)
        {
            return Of(options, client, null, nothing, "");
        }

        // Credentials of another universe domain belong to the service there, which accepts JWTs that a key signed and no other tokens.
        builder.UniverseDomain = await found.GetUniverseDomainAsync(CancellationToken.None).ConfigureAwait(false);
        builder.UseJwtAccessWithScopes = builder.UniverseDomain != "googleapis.com";
        client = await builder.BuildAsync(CancellationToken.None).ConfigureAwait(false);
        found = (GoogleCredential)client.Service.HttpClientInitializer;
        return options.Credential is not null
            ? Of(options, client, found, nothing, "the credentials in GcsOptions.Credential")
            : Of(options, client, found.CreateWithHttpClientFactory(builder.HttpClientFactory).CreateScoped(Scope), nothing, Defaults);
    }

    /// <summary>The call of <see cref="GetAsync"/>.</summary>
    /// <param name="display">The file that the client is for, as messages may show it.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="WeightSourceException">A variable has a control character in it.</exception>
    public static SdkCall Call(string display, GcsOptions options)
    {
        foreach (string name in (string[])[Emulator, QuotaProject, Metadata])
        {
            if (StoreSetting.Of(name) is { } text && OptionValue.HasControl(text))
            {
                throw new WeightSourceException(display, $"{name} {OptionValue.Control}");
            }
        }

        string? path = StoreSetting.Of(File);
        return options.Client is not null
            ? new SdkCall(display, "GcsOptions.Client")
            {
                Explain = static _ => "it must have an http or https base URI, and tokens or no credentials",
            }
            : options.Endpoint is null && !string.IsNullOrWhiteSpace(StoreSetting.Of(Emulator))
            ? new SdkCall(display, Emulator) { Explain = static _ => "it is neither an http or https URL nor a host with its port" }
            : options.Credential is not null ? new SdkCall(display, "GcsOptions.Credential")
            : new SdkCall(display, Defaults)
            {
                Explain = e => path is not null ? ExplainFile(path, e)
                    : e is UriFormatException ? $"{Metadata} is not a host or a host with its port"
                    : "they cannot be read",
                Files = SdkFile.Of(File) is { Count: > 0 } named ? named : [new SdkFile(GcloudFile, null)],
            };
    }

    private static string GcloudFile => Path.Combine(
        OperatingSystem.IsWindows()
            ? Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData)
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config"),
        "gcloud",
        "application_default_credentials.json");

    private static string Defaults => StoreSetting.Of(File) is { } path
        ? $"the credentials in {path} ({File})"
        : StoreSetting.Of(Metadata) is not null
            ? $"the application default credentials ({File}, gcloud's own file, then the metadata server that {Metadata} names)"
            : $"the application default credentials ({File}, gcloud's own file, then the metadata server)";

    // The client speaks the JSON interface, under this path of the address.
    private static GcsClient Of(GcsOptions options, StorageClient client, object? credential, string nothing, string origin)
    {
        string address = client.Service.BaseUri;
        address = address.EndsWith("/storage/v1/", StringComparison.Ordinal) ? address[..^"storage/v1/".Length] : address;
        var endpoint = new Uri(address, UriKind.RelativeOrAbsolute);
        OptionValue.ThrowUnlessHttp(endpoint, "The base URI");
        return credential switch
        {
            null => new GcsClient(endpoint, options.UserProject, null, $"no credentials ({nothing})"),
            ITokenAccessWithHeaders tokens => new GcsClient(endpoint, options.UserProject, tokens, Describe(origin, tokens)),
            _ => throw new InvalidOperationException($"{credential.GetType().Name} does not provide tokens."),
        };
    }

    private static string ExplainFile(string path, Exception e) =>
        !System.IO.File.Exists(path) ? "there is no such file"
        : e.GetBaseException() is UnauthorizedAccessException ? "this user may not read that file"
        : "that file is not the JSON of a Google credential";

    private static string Describe(string origin, object credential) => credential switch
    {
        GoogleCredential wrapper => Describe(origin, wrapper.UnderlyingCredential),
        ServiceAccountCredential account => $"{origin} (service account {account.Id})",
        ImpersonatedCredential => $"{origin} (impersonation)",
        ComputeCredential => $"{origin} (the metadata server's)",
        UserCredential => $"{origin} (a user's login)",
        _ => origin,
    };

    /// <summary>Sends the requests of Google's library over the loader's connections, so that the loader's proxy and certificates count.</summary>
    private sealed class LoaderClients(StoreContext context) : Google.Apis.Http.HttpClientFactory
    {
        protected override HttpMessageHandler CreateHandler(Google.Apis.Http.CreateHttpClientArgs args) => new Connections(context);
    }

    private sealed class Connections(StoreContext context) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            context.SendAsync(request, request.RequestUri!.GetLeftPart(UriPartial.Path), cancellationToken).AsTask();
    }
}
