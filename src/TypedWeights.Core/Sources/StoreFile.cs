using System.Runtime.CompilerServices;
using System.Text;
using TypedWeights.Errors;

namespace TypedWeights.Sources;

/// <summary>
/// One file of a store that is read by HTTP ranges: where it lies, how a request for it is authorised, and what a refusal means. All else
/// (connections, ranges, retries, redirects, validators) is the library's. Called from many tasks at once.
/// </summary>
/// <remarks>
/// <para>How a store is written:</para>
/// <list type="number">
/// <item>A class derived from this one, for a file: <see cref="Address"/>, <see cref="AuthorizeAsync"/>, and what else the store has.</item>
/// <item>
/// An <see cref="Stores.IRegisteredSource{TSelf}"/>, for the schemes: it reads the URI, looks the credentials up once, and answers with
/// <see cref="Stores.StoreContext.Locate"/> or, for a folder, <see cref="Stores.StoreContext.LocateInFolderAsync"/>.
/// </item>
/// <item><c>[assembly: WeightSourceProvider&lt;MyProvider&gt;("my")]</c>, by which applications that reference the package have it.</item>
/// <item>One <c>UseMy</c> for <see cref="Stores.IWeightSourceBuilder"/>, for those who want other options.</item>
/// </list>
/// <para>
/// What is given here reaches the origin (scheme, host, port) of <see cref="Address"/> alone; where redirects lead elsewhere, nothing
/// goes along. No text of an error may hold a secret: <see cref="Display"/> is what they say, and <see cref="Quote"/> what an answer said.
/// </para>
/// </remarks>
public abstract class StoreFile
{
    /// <summary>Set for a request that was refused before, and whose login has been renewed since.</summary>
    internal static readonly HttpRequestOptionsKey<bool> IsAgainKey = new("TypedWeights.IsAgain");

    private const int TextLimit = 64 << 10;

    private static readonly TimeSpan TextPatience = TimeSpan.FromSeconds(2);

    // A body that broke off cannot be read again, and more than one may ask for it.
    private static readonly ConditionalWeakTable<HttpResponseMessage, string> Texts = [];

    /// <summary>Makes a file.</summary>
    /// <param name="display">The file as it may be shown: <c>s3://bucket/key</c>, say.</param>
    protected StoreFile(string display)
    {
        ArgumentException.ThrowIfNullOrEmpty(display);
        Display = display;
    }

    /// <summary>The file as it may be shown, in the store's own words and without secrets.</summary>
    public string Display { get; }

    /// <summary>The version that is asked for, in the store's words (<c>versionId</c>, generation).</summary>
    /// <value>null: the one that is current at the first answer.</value>
    public string? Version { get; init; }

    /// <summary>
    /// Where it lies, absolute and without user info. It may be another one after <see cref="RenewAsync"/>, and the same object otherwise.
    /// </summary>
    public abstract Uri Address { get; }

    /// <summary>Where a version of it lies. Every range is asked for there, once the first answer has told the version.</summary>
    /// <param name="version">What <see cref="Version"/> or <see cref="VersionOf"/> gave.</param>
    /// <returns><see cref="Address"/>, unless the store says otherwise.</returns>
    protected internal virtual Uri AddressAt(string version) => Address;

    /// <summary>The version that an answer with bytes of the file is of. All answers of one load must be of the same.</summary>
    /// <param name="answer">The answer.</param>
    /// <returns>null where the store has none.</returns>
    protected internal virtual string? VersionOf(HttpResponseMessage answer) => null;

    /// <summary>
    /// Adds what a request needs to be let in: headers, a signature. Called for every request to the origin of <see cref="Address"/>, so
    /// that tokens can be fresh, with all other headers in place.
    /// </summary>
    /// <param name="request">The request. Its address may be exchanged for a signed one of the same origin.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">No credentials could be had; the message says where they were looked for.</exception>
    protected internal virtual ValueTask AuthorizeAsync(HttpRequestMessage request, CancellationToken cancellationToken) => default;

    /// <summary>
    /// Mends what a refusal complains of, if it can be mended: takes fresh credentials, another region, the server's clock. Many requests
    /// may be refused at once for one reason: the first mends it, and for the others it is mended already.
    /// </summary>
    /// <param name="refusal">An answer of 3xx or 4xx of the store's own origin; its body may be read.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>Whether the request is worth one more try.</returns>
    protected internal virtual ValueTask<bool> RenewAsync(HttpResponseMessage refusal, CancellationToken cancellationToken) => new(false);

    /// <summary>Says what a refusal means, in the store's words.</summary>
    /// <param name="refusal">The answer, an error of the store's own origin; its body may be read.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>
    /// null for the usual sentence about the status. Otherwise an error with <see cref="Display"/> as its source that says whether it
    /// passes by itself (<see cref="WeightSourceException.IsTransient"/>) and whether there is no such file.
    /// </returns>
    protected internal virtual ValueTask<WeightSourceException?> ExplainAsync(
        HttpResponseMessage refusal, CancellationToken cancellationToken) => new((WeightSourceException?)null);

    /// <summary>Says of a refused request whose URL is signed that its time is over, or has not come.</summary>
    /// <param name="refusal">The answer; its <c>Date</c> is the time now where it has one.</param>
    /// <returns>null where the signature names no time, or names this one.</returns>
    public static string? DescribePeriod(HttpResponseMessage refusal) => SignedPeriod.Describe(refusal);

    /// <summary>
    /// Makes text that came with an answer fit for an error: without the secrets of the request, in whatever spelling the server repeats them,
    /// without characters that do not show, and no longer than a sentence. Whatever an error quotes of an answer goes through here.
    /// </summary>
    /// <param name="answer">The answer.</param>
    /// <param name="text">The text: a code, a message, the value of a header; null for none.</param>
    /// <returns>The text as it may be shown; empty for none.</returns>
    public static string Quote(HttpResponseMessage answer, string? text)
    {
        ArgumentNullException.ThrowIfNull(answer);
        return ForeignText.Show(text, answer.RequestMessage, isFree: false).Trim();
    }

    /// <summary>The status of an answer with the text that came with it: <c>403 AccessDenied</c>, and <c>403</c> where none came.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="text">The text, as for <see cref="Quote"/>.</param>
    public static string QuoteStatus(HttpResponseMessage answer, string? text)
    {
        ArgumentNullException.ThrowIfNull(answer);
        return $"{(int)answer.StatusCode} {Quote(answer, text)}".TrimEnd();
    }

    /// <summary>Reads the text of an answer that is an error: 64 KiB at most, for two seconds at most.</summary>
    /// <param name="answer">The answer; reading it twice gives the same.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <returns>The text; empty where none came, or it did not end.</returns>
    public static async ValueTask<string> ReadTextAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(answer);
        if (Texts.TryGetValue(answer, out string? known))
        {
            return known;
        }

        string text = await ReadOnceAsync(answer, cancellationToken).ConfigureAwait(false);
        Texts.AddOrUpdate(answer, text);
        return text;
    }

    // The status has been read: that its text is lost, endless, late or was read by somebody else changes nothing.
    private static async ValueTask<string> ReadOnceAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(TextPatience);
        try
        {
            await answer.Content.LoadIntoBufferAsync(TextLimit, limited.Token).ConfigureAwait(false);
            byte[] bytes = await answer.Content.ReadAsByteArrayAsync(limited.Token).ConfigureAwait(false);
            return Encoding.UTF8.GetString(bytes);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or InvalidOperationException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return "";
        }
    }
}
