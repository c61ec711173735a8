using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;

namespace TypedWeights.Tests.Stores.Gcs;

/// <summary>
/// A small fixture of the tests' own in the place of Google Cloud Storage's XML interface, as no emulator can be had here: a bucket whose
/// objects have generations, tokens that are checked, ranges, preconditions, and refusals in the service's words.
/// </summary>
internal sealed class GcsFixture : IAsyncDisposable
{
    public const string Bucket = "weights";

    private readonly FileServer _server;
    private readonly TokenFixture? _tokens;
    private readonly ConcurrentDictionary<string, List<(long Generation, byte[] Bytes)>> _objects = new();
    private long _generation = 1_700_000_000_000_000;

    private GcsFixture(FileServer server, TokenFixture? tokens)
    {
        _server = server;
        _tokens = tokens;
        server.Intercept = AnswerAsync;
    }

    public Uri Address => new(_server.Address);

    /// <summary>Whether what is replaced stays as an old generation.</summary>
    public bool IsVersioned { get; set; }

    /// <summary>Whether everybody may read.</summary>
    public bool IsPublic { get; set; }

    /// <summary>Whether tokens of the account are without the permission to read.</summary>
    public bool Forbids { get; set; }

    /// <summary>Whether everything is refused with a status alone, as a proxy does.</summary>
    public bool RefusesWithoutText { get; set; }

    /// <summary>The project that pays, where the owner does not.</summary>
    public string? Payer { get; set; }

    /// <summary>Each request's query, kind of token and project.</summary>
    public ConcurrentQueue<(string Query, string? Kind, string? Project)> Requests { get; } = new();

    /// <param name="tokens">Says which tokens hold; null where nobody has any.</param>
    /// <param name="certificate">For HTTPS; null for HTTP.</param>
    public static async Task<GcsFixture> StartAsync(TokenFixture? tokens, X509Certificate2? certificate = null) =>
        new(await FileServer.StartAsync(certificate), tokens);

    /// <summary>Puts an object.</summary>
    /// <returns>Its generation.</returns>
    public long Put(string name, byte[] bytes)
    {
        long generation = Interlocked.Increment(ref _generation);
        List<(long, byte[])> old = IsVersioned && _objects.TryGetValue(name, out List<(long, byte[])>? known) ? known : [];
        _objects[name] = [.. old, (generation, bytes)];
        return generation;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task<bool> AnswerAsync(HttpContext context)
    {
        if (RefusesWithoutText)
        {
            context.Response.StatusCode = 403;
            return true;
        }

        // As it was sent: ASP.NET's own path is unescaped and tidied.
        string raw = context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget;
        string[] halves = raw.Split('?', 2);
        string[] names = Uri.UnescapeDataString(halves[0]).TrimStart('/').Split('/', 2);
        string? kind = _tokens?.KindOf(context.Request.Headers.Authorization) is { } known and not "source" ? known : null;
        string? project = context.Request.Headers["x-goog-user-project"];
        Requests.Enqueue((halves.Length > 1 ? halves[1] : "", kind, project));
        List<(long Generation, byte[] Bytes)>? all = _objects.GetValueOrDefault(names.Length > 1 ? names[1] : "");
        string? asked = context.Request.Query["generation"];
        (long Generation, byte[] Bytes)? found = all is null ? null
            : asked is null ? all[^1]
            : all.Where(version => version.Generation.ToString(CultureInfo.InvariantCulture) == asked).Cast<(long, byte[])?>().FirstOrDefault();
        await (context.Request.Headers.Authorization.Count > 0 && kind is null ? RefuseAsync(context, 401, "AuthenticationRequired", "")
            : names[0] != Bucket ? RefuseAsync(context, 404, "NoSuchBucket", "")
            : kind is null && !IsPublic ? RefuseAsync(
                context,
                401,
                "AuthenticationRequired",
                "Anonymous caller does not have storage.objects.get access to the Google Cloud Storage object.")
            : Forbids ? RefuseAsync(
                context,
                403,
                "AccessDenied",
                $"{TokenFixture.Email} does not have storage.objects.get access to the Google Cloud Storage object. "
                    + "Permission 'storage.objects.get' denied on resource (or it may not exist).")
            : Payer is not null && project is null ? RefuseAsync(context, 400, "UserProjectMissing", "")
            : Payer is not null && project != Payer ? RefuseAsync(context, 403, "UserProjectAccessDenied", "")
            : found is not { } version ? RefuseAsync(context, 404, "NoSuchKey", "")
            : context.Request.Headers["x-goog-if-generation-match"] is [{ } match] && match != $"{version.Generation}"
                ? RefuseAsync(context, 412, "PreconditionFailed", "")
            : ServeAsync(context, version.Generation, version.Bytes));
        return true;
    }

    private static Task ServeAsync(HttpContext context, long generation, byte[] bytes)
    {
        context.Response.Headers["x-goog-generation"] = generation.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["x-goog-metageneration"] = "1";
#pragma warning disable CA5351 // The service's tag is the MD5 of the bytes.
        string tag = $"\"{Convert.ToHexStringLower(MD5.HashData(bytes))}\"";
#pragma warning restore CA5351
        return Results.Bytes(bytes, "application/octet-stream", enableRangeProcessing: true, entityTag: new(tag)).ExecuteAsync(context);
    }

    private static Task RefuseAsync(HttpContext context, int status, string code, string details)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/xml; charset=UTF-8";
        return context.Response.WriteAsync(
            $"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>No.</Message><Details>{details}</Details></Error>");
    }
}
