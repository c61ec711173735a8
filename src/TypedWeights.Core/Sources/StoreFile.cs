using System.Text;
using System.Xml;
using System.Xml.Linq;
using TypedWeights.Errors;

namespace TypedWeights.Sources;

/// <summary>
/// One file of a store that is read by HTTP ranges: its address, how a request for it is authorised, and what an error response means.
/// Everything else (connections, ranges, retries, redirects, validators) is the library's. Called from many tasks at once.
/// </summary>
/// <remarks>
/// <para>How a store is written:</para>
/// <list type="number">
/// <item>A class derived from this one, for a file: <see cref="Address"/>, <see cref="AuthorizeAsync"/>, and what else the store has.</item>
/// <item>
/// An <see cref="Stores.IRegisteredSource{TSelf}"/>, for the schemes: it reads the URI, looks the credentials up once, and returns what
/// <see cref="Stores.StoreContext.LocateAsync"/> returns.
/// </item>
/// <item><c>[assembly: WeightSourceProvider&lt;MyProvider&gt;("my")]</c>, which gives the store to applications that reference the package.</item>
/// <item>One <c>UseMy</c> for <see cref="Stores.IWeightSourceBuilder"/>, for other options than the environment's.</item>
/// </list>
/// <para>
/// Credentials reach the origin (scheme, host, port) of <see cref="Address"/> alone, never the target of a redirect elsewhere. No error may
/// hold a secret: errors name the file by <see cref="Display"/> and quote a response through <see cref="Quote"/>.
/// </para>
/// </remarks>
public abstract class StoreFile
{
    /// <summary>Set on a request that was refused before and whose credentials have been renewed since.</summary>
    internal static readonly HttpRequestOptionsKey<bool> IsAgainKey = new("TypedWeights.IsAgain");

    private const int TextLimit = 64 << 10;

    private static readonly TimeSpan TextPatience = TimeSpan.FromSeconds(2);

    /// <summary>Creates a file.</summary>
    /// <param name="display">The file as messages may show it: <c>s3://bucket/key</c>, say.</param>
    protected StoreFile(string display)
    {
        ArgumentException.ThrowIfNullOrEmpty(display);
        Display = display;
    }

    /// <summary>The file as messages may show it, in the store's own words and without secrets.</summary>
    public string Display { get; }

    /// <summary>The version to request, in the store's words (<c>versionId</c>, generation).</summary>
    /// <value>null: the one that is current at the first response.</value>
    public string? Version { get; init; }

    /// <summary>
    /// Its URL, absolute and without user info. It may be another one after <see cref="RenewAsync"/>, and is the same object otherwise.
    /// </summary>
    public abstract Uri Address { get; }

    /// <summary>The URL of a version. Every range is requested there, once the first response has stated the version.</summary>
    /// <param name="version">What <see cref="Version"/> or <see cref="VersionOf"/> returned.</param>
    /// <returns><see cref="Address"/>, unless the store says otherwise.</returns>
    protected internal virtual Uri AddressAt(string version) => Address;

    /// <summary>The version that a response with bytes of the file belongs to. It must be the same in all responses of one load.</summary>
    /// <param name="response">The response.</param>
    /// <returns>null if the store has no versions.</returns>
    protected internal virtual string? VersionOf(HttpResponseMessage response) => null;

    /// <summary>
    /// Adds what authorises a request: headers, a signature. Called for every request to the origin of <see cref="Address"/>, so that tokens can
    /// be fresh, with all other headers in place.
    /// </summary>
    /// <param name="request">The request. Its URL may be replaced by a signed one of the same origin.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">There are no credentials; the message says where they were looked for.</exception>
    protected internal virtual ValueTask AuthorizeAsync(HttpRequestMessage request, CancellationToken cancellationToken) => default;

    /// <summary>
    /// Repairs the cause of an error response if it can: takes fresh credentials, another region, the server's clock. Many requests may be
    /// refused at once for one reason: the first call repairs it, and for the others it is repaired already.
    /// </summary>
    /// <param name="refusal">A response of 3xx or 4xx of the store's own origin; its body may be read.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>Whether the request is worth one more try.</returns>
    protected internal virtual ValueTask<bool> RenewAsync(HttpResponseMessage refusal, CancellationToken cancellationToken) => new(false);

    /// <summary>Says what an error response means, in the store's words.</summary>
    /// <param name="refusal">The response, of the store's own origin; its body may be read.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>
    /// null for the usual sentence about the status. Otherwise an error with <see cref="Display"/> as its source that says whether it
    /// is transient (<see cref="WeightSourceException.IsTransient"/>) and whether the file is absent.
    /// </returns>
    protected internal virtual ValueTask<WeightSourceException?> ExplainAsync(
        HttpResponseMessage refusal, CancellationToken cancellationToken) => new((WeightSourceException?)null);

    /// <summary>Says of a refused request with a signed URL that the signature has expired, or is not valid yet.</summary>
    /// <param name="refusal">The response; its <c>Date</c> is the time now if it has one.</param>
    /// <returns>null if the signature names no period, or is valid now.</returns>
    public static string? DescribePeriod(HttpResponseMessage refusal) => SignedPeriod.Describe(refusal);

    /// <summary>
    /// Makes text that came with a response fit for an error: without the secrets of the request, in whatever spelling the server repeats them,
    /// without characters that do not show, and no longer than a sentence. Whatever an error quotes of a response goes through here.
    /// </summary>
    /// <param name="response">The response.</param>
    /// <param name="text">The text: a code, a message, the value of a header; null for none.</param>
    /// <returns>The text as it may be shown; empty for none.</returns>
    public static string Quote(HttpResponseMessage response, string? text)
    {
        ArgumentNullException.ThrowIfNull(response);
        return ForeignText.Show(text, response.RequestMessage, isFree: false).Trim();
    }

    /// <summary>The status of a response with the text that came with it: <c>403 AccessDenied</c>, or <c>403</c> without a text.</summary>
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
            // Azure begins its errors with a byte order mark.
            using XmlReader reader = XmlReader.Create(
                new StringReader(text.TrimStart('\uFEFF')), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            return XElement.Load(reader);
        }
        catch (XmlException)
        {
            return null;
        }
    }

    /// <summary>Reads the text of an error response: 64 KiB at most, for two seconds at most.</summary>
    /// <param name="response">The response; reading it twice returns the same.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <returns>The text; empty if none came, or it did not end.</returns>
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
            // The status has been read: a text that is lost, endless, late or was read by somebody else changes nothing.
            return "";
        }
    }
}
