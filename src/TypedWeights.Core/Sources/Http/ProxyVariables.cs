using System.Globalization;

namespace TypedWeights.Sources.Http;

/// <summary>
/// The environment variables that name the proxy. .NET ignores a variable that it cannot parse, and sends the request without the proxy. This
/// class finds and names such a variable, without its text, which may contain a password.
/// </summary>
internal static class ProxyVariables
{
    private static readonly string[] Schemes = ["http", "https", "socks4", "socks4a", "socks5"];

    /// <summary>What is wrong with the variables for URLs of a scheme.</summary>
    /// <param name="scheme"><c>http</c> or <c>https</c>.</param>
    /// <param name="variable">Reads an environment variable.</param>
    /// <returns>A sentence; null if nothing is wrong.</returns>
    public static string? Fault(string scheme, Func<string, string?> variable)
    {
        // As .NET does: lower case first, and no HTTP_PROXY in a CGI program, where a request header could set it.
        bool isCgi = variable("GATEWAY_INTERFACE") is not null;
        string[] names =
        [
            $"{scheme}_proxy",
            .. isCgi && scheme == "http" ? Array.Empty<string>() : [$"{scheme.ToUpperInvariant()}_PROXY"],
            "all_proxy",
            "ALL_PROXY",
        ];
        if (names.FirstOrDefault(name => variable(name) is { Length: > 0 }) is not { } name)
        {
            return null;
        }

        if (!IsProxy(variable(name)!))
        {
            return $"the variable {name} does not name a proxy; write it as http://host:port, or http://user:password@host:port with the "
                + "special characters of both percent-encoded (the text is not shown because it may contain a password).";
        }

        string exceptions = variable("no_proxy") is { Length: > 0 } ? "no_proxy" : "NO_PROXY";
        return (variable(exceptions) ?? "").Split(',').Select(static entry => entry.Trim()).All(IsException)
            ? null
            : $"the variable {exceptions} is not a list of host names; write them with commas between, without http:// or spaces.";
    }

    private static bool IsProxy(string text)
    {
        int colon = text.IndexOf("://", StringComparison.Ordinal);
        if (colon >= 0 && !Schemes.Contains(text[..colon], StringComparer.OrdinalIgnoreCase))
        {
            return false;
        }

        string authority = text[(colon < 0 ? 0 : colon + 3)..];
        string server = authority[(authority.LastIndexOf('@') + 1)..].Split('/')[0];
        int port = server.LastIndexOf(':');
        bool hasPort = port > server.LastIndexOf(']');
        return Uri.CheckHostName(hasPort ? server[..port] : server) != UriHostNameType.Unknown && (!hasPort || IsPort(server[(port + 1)..]));
    }

    private static bool IsPort(string text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) && port > 0;

    private static bool IsException(string entry) => !entry.Contains("://", StringComparison.Ordinal)
        && !entry.Contains('@') && !entry.Any(static c => char.IsWhiteSpace(c) || char.IsControl(c));
}
