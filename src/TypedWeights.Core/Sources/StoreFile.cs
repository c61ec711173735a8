using System.Text;
using System.Xml;
using System.Xml.Linq;
using TypedWeights.Errors;

namespace TypedWeights.Sources;

/// <summary>
/// One file of a store that is read by HTTP ranges: its address, how its requests are authorised, and what an error response means. The library
/// does everything else (connections, ranges, retries, redirects, validators). Called from many tasks at once.
/// </summary>
/// <remarks>
/// <para>How to write a store:</para>
/// <list type="number">
/// <item>A class derived from this one, for a file: <see cref="Address"/>, <see cref="AuthorizeAsync"/>, and what else the store needs.</item>
/// <item>
/// An <see cref="Stores.IRegisteredSource{TSelf}"/>, for the schemes: it parses the URI, looks the credentials up once, and returns the result of
/// <see cref="Stores.StoreContext.LocateAsync"/>.
/// </item>
/// <item><c>[assembly: WeightSourceProvider&lt;MyProvider&gt;("my")]</c>, which registers it in applications that reference the package.</item>
/// <item>One <c>UseMy</c> for <see cref="Stores.IWeightSourceBuilder"/>, for applications that set options.</item>
/// </list>
/// <para>
/// Credentials are sent to the origin (scheme, host, port) of <see cref="Address"/> only, and never after a redirect to another origin. No error
/// may contain a secret: errors show <see cref="Display"/>, and quote a response through <see cref="Quote"/>.
/// </para>
/// </remarks>
public abstract class StoreFile
{
    /// <summary>Set for a request that is repeated after an error response, with renewed credentials.</summary>
    internal static readonly HttpRequestOptionsKey<bool> IsAgainKey = new("TypedWeights.IsAgain");

    private const int TextLimit = 64 << 10;

    private static readonly TimeSpan TextPatience = TimeSpan.FromSeconds(2);

    /// <summary>Makes a file.</summary>
    /// <param name="display">The file as it may be shown, such as <c>s3://bucket/key</c>.</param>
    protected StoreFile(string display)
    {
        ArgumentException.ThrowIfNullOrEmpty(display);
        Display = display;
    }

    /// <summary>The file as it may be shown, as the store's users write it, and without secrets.</summary>
    public string Display { get; }

    /// <summary>The requested version, as the store identifies it (<c>versionId</c>, generation).</summary>
    /// <value>null: the version that is current at the first response.</value>
    public string? Version { get; init; }

    /// <summary>
    /// The absolute address of the file, without user info. It may change in <see cref="RenewAsync"/>, and is the same object otherwise.
    /// </summary>
    public abstract Uri Address { get; }

    /// <summary>The address of a version of the file. Every range is requested there, once the first response has stated the version.</summary>
    /// <param name="version">The result of <see cref="Version"/> or <see cref="VersionOf"/>.</param>
    /// <returns><see cref="Address"/>, unless the store overrides this method.</returns>
    protected internal virtual Uri AddressAt(string version) => Address;

    /// <summary>The version of the file in a response with bytes of it. All responses of one load must have the same version.</summary>
    /// <param name="response">The response.</param>
    /// <returns>null if the store has no versions.</returns>
    protected internal virtual string? VersionOf(HttpResponseMessage response) => null;

    /// <summary>
    /// Adds the credentials of a request: headers, a signature. Called for every request to the origin of <see cref="Address"/>, so that tokens
    /// can be fresh, after all other headers have been set.
    /// </summary>
    /// <param name="request">The request. Its address may be replaced by a signed one of the same origin.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">No credentials were found; the message says where they were looked for.</exception>
    protected internal virtual ValueTask AuthorizeAsync(HttpRequestMessage request, CancellationToken cancellationToken) => default;

    /// <summary>
    /// Repairs the cause of an error response, if that is possible: gets new credentials, another region, the server's clock. Many requests may
    /// fail at once for one reason: the first call repairs it, and the other calls find it repaired.
    /// </summary>
    /// <param name="errorResponse">A response with 3xx or 4xx from the store's own origin; its body may be read.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>Whether the request is worth another attempt.</returns>
    protected internal virtual ValueTask<bool> RenewAsync(HttpResponseMessage errorResponse, CancellationToken cancellationToken) => new(false);

    /// <summary>Explains an error response of the store.</summary>
    /// <param name="errorResponse">The error response, from the store's own origin; its body may be read.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>
    /// null for the usual sentence about the status. Otherwise an error with <see cref="Display"/> as its source that states whether it is
    /// transient (<see cref="WeightSourceException.IsTransient"/>) and whether the file is absent.
    /// </returns>
    protected internal virtual ValueTask<WeightSourceException?> ExplainAsync(
        HttpResponseMessage errorResponse, CancellationToken cancellationToken) => new((WeightSourceException?)null);

    /// <summary>Describes why the period of a signed URL does not include the time of an error response.</summary>
    /// <param name="errorResponse">The error response; its <c>Date</c> is that time, if it has one.</param>
    /// <returns>null if the signature states no period, or the period includes that time.</returns>
    public static string? DescribePeriod(HttpResponseMessage errorResponse) => SignedPeriod.Describe(errorResponse);

    /// <summary>
    /// Makes text from a response safe to show in an error: without the secrets of the request, however the server spells them, without invisible
    /// characters, and no longer than a sentence. Every quotation of a response in an error goes through this method.
    /// </summary>
    /// <param name="response">The response.</param>
    /// <param name="text">The text: a code, a message, the value of a header; null for none.</param>
    /// <returns>The text as it may be shown; empty if there is none.</returns>
    public static string Quote(HttpResponseMessage response, string? text)
    {
        ArgumentNullException.ThrowIfNull(response);
        return ForeignText.Show(text, response.RequestMessage, isFree: false).Trim();
    }

    /// <summary>The status of a response with its text: <c>403 AccessDenied</c>, or <c>403</c> without one.</summary>
    /// <param name="response">The response.</param>
    /// <param name="text">The text, as for <see cref="Quote"/>.</param>
    public static string QuoteStatus(HttpResponseMessage response, string? text)
    {
        ArgumentNullException.ThrowIfNull(response);
        return $"{(int)response.StatusCode} {Quote(response, text)}".TrimEnd();
    }

    /// <summary>The first value of a header of a response.</summary>
    /// <param name="response">The response.</param>
    /// <param name="name">The header.</param>
    /// <returns>null if the response has no such header.</returns>
    public static string? HeaderOf(HttpResponseMessage response, string name)
    {
        ArgumentNullException.ThrowIfNull(response);
        return response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.First() : null;
    }

    /// <summary>Reads the XML of an error response, such as <c>&lt;Error&gt;&lt;Code&gt;NoSuchKey&lt;/Code&gt;&lt;/Error&gt;</c>.</summary>
    /// <param name="response">The response; reading it twice returns the same.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <returns>The root element; null if the text is not XML: a proxy's page, say.</returns>
    public static async ValueTask<XElement?> ReadXmlAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        string text = await ReadTextAsync(response, cancellationToken).ConfigureAwait(false);
        try
        {
            // Azure starts its errors with a byte order mark.
            using XmlReader reader = XmlReader.Create(
                new StringReader(text.TrimStart('\uFEFF')), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            return XElement.Load(reader);
        }
        catch (XmlException)
        {
            return null;
        }
    }

    /// <summary>Reads the text of an error response: at most 64 KiB, for at most two seconds.</summary>
    /// <param name="response">The response, which may be read twice with the same result.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <returns>The text; empty if there is none, or if it did not end in that time.</returns>
    public static async ValueTask<string> ReadTextAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(response);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(TextPatience);
        try
        {
            await response.Content.LoadIntoBufferAsync(TextLimit, limited.Token).ConfigureAwait(false);
            byte[] bytes = await response.Content.ReadAsByteArrayAsync(limited.Token).ConfigureAwait(false);
            return Encoding.UTF8.GetString(bytes);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or InvalidOperationException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // The status is what counts. The text may be missing, endless, late, or already read.
            return "";
        }
    }
}
