using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;

namespace TypedWeights;

/// <summary>How HTTP servers are reached: logins, headers, proxies, certificates.</summary>
/// <remarks>
/// What the callbacks give goes to the origin (scheme, host and port) of the URL that was asked for, and with redirects for as long as they
/// stay there: never to another origin. A loader that is used for several hosts has one set of these, so the callbacks are told the URL.
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
    /// Gives the <c>Authorization</c> of a request to a URL, or null for none. It is called again for each request, from several tasks at
    /// once, so that tokens can rotate. A URL with user info does without it: it brings its own. After a refusal (401, 403) it is called once
    /// more, for all requests that were refused together, and the request is repeated once with what it gives.
    /// </summary>
    /// <value>null</value>
    public Func<Uri, CancellationToken, ValueTask<AuthenticationHeaderValue?>>? Authorization { get; init; }

    /// <summary>
    /// Adds headers to a request to a URL; it is called again for each request, from several tasks at once. <c>Range</c>, <c>If-Match</c>
    /// and <c>Accept-Encoding</c> stay the library's own.
    /// </summary>
    /// <value>null</value>
    public Action<Uri, HttpRequestHeaders>? Headers { get; init; }

    /// <summary>The proxy, with its credentials.</summary>
    /// <value>
    /// null: the one of the environment (<c>HTTP_PROXY</c>, <c>HTTPS_PROXY</c>, <c>ALL_PROXY</c>, <c>NO_PROXY</c>) or of the system.
    /// </value>
    public IWebProxy? Proxy { get; init; }

    /// <summary>Certificates of authorities that are trusted besides those of the machine: a company's own, say.</summary>
    /// <value>none</value>
    public IReadOnlyList<X509Certificate2> TrustedRoots { get; init; } = [];

    /// <summary>The longest time for making a connection, TLS included; at most a day, or <see cref="Timeout.InfiniteTimeSpan"/>.</summary>
    /// <value>15 seconds</value>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Changes the connection pool before its first use, for what is not an option here. Redirects, cookies and decompression are switched
    /// off afterwards whatever it does: they would lead to wrong bytes.
    /// </summary>
    /// <value>null</value>
    public Action<SocketsHttpHandler>? ConfigureHandler { get; init; }

    /// <summary>Throws where a value makes no sense.</summary>
    /// <exception cref="ArgumentException">One of the values is out of its range; the message names it.</exception>
    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(TrustedRoots);
        if (TrustedRoots.Any(static root => root is null))
        {
            throw new ArgumentException("TrustedRoots has null among its certificates.", nameof(TrustedRoots));
        }

        if (ConnectTimeout != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ConnectTimeout, TimeSpan.Zero);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(ConnectTimeout, TimeSpan.FromDays(1), nameof(ConnectTimeout));
        }
    }
}
