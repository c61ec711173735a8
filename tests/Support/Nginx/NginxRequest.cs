using System.Globalization;

namespace TypedWeights.Tests;

/// <summary>A line of nginx's log. What the request did not have is <c>-</c>.</summary>
internal sealed record NginxRequest(int Status, string Method, string Uri, string Range, string IfMatch, string AcceptEncoding, long Sent)
{
    public static NginxRequest Parse(string line) =>
        line.Split('\t') is [var status, var method, var uri, var range, var tag, var coding, var sent]
        ? new(
            int.Parse(status, CultureInfo.InvariantCulture),
            method,
            uri,
            range,
            tag.Replace("\\x22", "\"", StringComparison.Ordinal),
            coding,
            long.Parse(sent, CultureInfo.InvariantCulture))
        : throw new FormatException(line);
}
