using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;

namespace TypedWeights;

/// <summary>How HTTP servers are reached: credentials, headers, proxies, certificates.</summary>
/// <remarks>
/// The results of the callbacks are sent to the origin (scheme, host and port) of the requested URL only, and never to another origin that it
/// redirects to. A loader that is used for several hosts has one set of these options, so the callbacks get the URL.
/// </remarks>
/// <example>
/// <code>
/// var options = new HttpOptions { Authorization = async (url, token) => new("Bearer", await GetTokenAsync(url.Host, token)) };
/// await using WeightLoader loader = new WeightLoaderBuilder().UseHttp(options).Build();
/// </code>
/// </example>
public sealed record HttpOptions
{
    /// <summary>
    /// Returns the <c>Authorization</c> of a request to a URL, or null for none. It is called for each request, from several tasks at once, so
    /// that tokens can rotate. It is not called for a URL with user info. After an error response (401, 403) it is called once more, for all
    /// requests that failed together, and each request is repeated once with the result.
    /// </summary>
    /// <value>null</value>
    public Func<Uri, CancellationToken, ValueTask<AuthenticationHeaderValue?>>? Authorization { get; init; }

    /// <summary>
    /// Adds headers to a request to a URL. It is called for each request, from several tasks at once. It cannot change <c>Range</c>,
    /// <c>If-Match</c> and <c>Accept-Encoding</c>.
    /// </summary>
    /// <value>null</value>
    public Action<Uri, HttpRequestHeaders>? Headers { get; init; }

    /// <summary>The proxy, with its credentials.</summary>
    /// <value>
    /// null: the proxy of the environment (<c>HTTP_PROXY</c>, <c>HTTPS_PROXY</c>, <c>ALL_PROXY</c>, <c>NO_PROXY</c>) or of the system.
    /// </value>
    public IWebProxy? Proxy { get; init; }

    /// <summary>Certificates of authorities that are trusted in addition to those of the machine, such as a company's own.</summary>
    /// <value>none</value>
    public IReadOnlyList<X509Certificate2> TrustedRoots { get; init; } = [];

    /// <summary>The longest time to make a connection, TLS included; at most a day, or <see cref="Timeout.InfiniteTimeSpan"/>.</summary>
    /// <value>15 seconds</value>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Changes the connection pool before its first use, for settings that are not options here. Redirects, cookies and decompression are
    /// switched off afterwards in any case, because they would lead to wrong bytes.
    /// </summary>
    /// <value>null</value>
    public Action<SocketsHttpHandler>? ConfigureHandler { get; init; }

    /// <summary>Throws if a value is out of its range.</summary>
    /// <exception cref="ArgumentException">One of the values is out of its range; the message names it.</exception>
    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(TrustedRoots);
        if (TrustedRoots.Any(static root => root is null))
        {
            throw new ArgumentException("TrustedRoots contains null.", nameof(TrustedRoots));
        }

        if (ConnectTimeout != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ConnectTimeout, TimeSpan.Zero);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(ConnectTimeout, TimeSpan.FromDays(1), nameof(ConnectTimeout));
        }
    }
}
