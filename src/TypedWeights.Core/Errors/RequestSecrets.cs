using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;

namespace TypedWeights.Errors;

/// <summary>
/// The secrets of a request, which no message may show: its credentials in every part and spelling, the caller's headers, and of its URL the
/// parameters that are not shown. They are read from the request only after a failure.
/// </summary>
internal sealed partial class RequestSecrets
{
    /// <summary>What messages show instead of a secret.</summary>
    public const string Mask = "***";

    // A run of this many letters and digits of a secret counts as the secret: a server may repeat a token cut short.
    private const int Telling = 8;

    // The same in a sentence of the library or a store, whose words may well be in an account's name or a header.
    private const int TellingInOwnWords = 16;

    private const int Shortest = 4;

    private const int MostEscapes = 3;

    // A user name or parameter of this length is more likely a token.
    private const int TokenLength = 16;

    // Headers of the library, the store's protocol or tracing: known to everybody.
    private static readonly HashSet<string> OpenHeaders = new(StringComparer.OrdinalIgnoreCase)
    {
        "Range", "If-Match", "Accept", "Accept-Encoding", "Connection", "Host", "traceparent", "tracestate", "Request-Id", "Correlation-Context",
        "x-amz-content-sha256", "x-amz-date", "x-amz-request-payer", "x-ms-date", "x-ms-version", "x-goog-user-project",
    };

    // Of signed URLs: how, when and for what they were signed, not the signature.
    private static readonly HashSet<string> OpenParameters = new(StringComparer.OrdinalIgnoreCase)
    {
        "sv", "ss", "srt", "sr", "sp", "st", "se", "spr", "region", "X-Amz-Algorithm", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders",
        "X-Goog-Algorithm", "X-Goog-Date", "X-Goog-Expires", "X-Goog-SignedHeaders", "versionId", "snapshot", "generation", "revision", "download",
    };

    // The letters and digits of each in lower case, or, of those that have too few, the text itself.
    private readonly HashSet<string> _plain = new(StringComparer.Ordinal);
    private readonly HashSet<string> _literal = new(StringComparer.OrdinalIgnoreCase);

    // Those that no file name contains by chance.
    private readonly HashSet<string> _whole = new(StringComparer.Ordinal);

    private RequestSecrets()
    {
    }

    /// <summary>Set on a request that a redirect led to: the redirected request, whose secrets the new server may know.</summary>
    public static readonly HttpRequestOptionsKey<HttpRequestMessage> RedirectedKey = new("TypedWeights.Redirected");

    /// <summary>
    /// The secrets of a request that was sent, with what the client added to it (the login for a proxy, say), and of the requests that were
    /// redirected to it.
    /// </summary>
    /// <param name="request">The request; null for none.</param>
    public static RequestSecrets Of(HttpRequestMessage? request)
    {
        var secrets = new RequestSecrets();
        for (HttpRequestMessage? sent = request; sent is not null;)
        {
            secrets.AddRequest(sent);
            sent = sent.Options.TryGetValue(RedirectedKey, out HttpRequestMessage? redirected) ? redirected : null;
        }

        return secrets;
    }

    /// <summary>Removes every secret from a text, however the text spells it: in other case, escaped, encoded, split by other characters.</summary>
    /// <param name="text">The text.</param>
    /// <param name="isFree">
    /// Whether to remove long runs of letters and digits that are not words, too, if there is a secret: it may be a secret in another encoding.
    /// </param>
    public string Scrub(string text, bool isFree = false) => Without(text, static _ => true, Telling, isFree);

    /// <summary>
    /// Removes the secrets from a sentence of the library or of a store. Text in quotation marks is somebody else's; the sentence's own words
    /// lose no secret that is short or has no digit, since it may well be a word ("the", "token", "resource").
    /// </summary>
    public string ScrubOwn(string text)
    {
        int first = text.IndexOf('"', StringComparison.Ordinal), last = text.LastIndexOf('"');
        return first == last ? ScrubWords(text) : ScrubWords(text[..first]) + Scrub(text[first..last]) + ScrubWords(text[last..]);
    }

    /// <summary>Whether a name that a server chose contains a whole secret, in any spelling.</summary>
    public bool IsIn(string name) => _whole.Count > 0 && LettersOf(Unescape(name)) is var letters
        && _whole.Any(secret => letters.Contains(secret, StringComparison.Ordinal));

    private string ScrubWords(string text) => Without(
        text,
        static secret => secret.Length >= TellingInOwnWords || (secret.Length >= Telling && secret.Any(char.IsAsciiDigit)),
        TellingInOwnWords,
        isFree: false);

    private string Without(string text, Func<string, bool> isMeant, int telling, bool isFree)
    {
        if (_plain.Count + _literal.Count == 0)
        {
            return text;
        }

        string plain = Unescape(text);
        bool[] isSecret = new bool[plain.Length];
        foreach (string secret in _literal.Where(isMeant))
        {
            for (int at = 0; (at = plain.IndexOf(secret, at, StringComparison.OrdinalIgnoreCase)) >= 0; at += secret.Length)
            {
                Mark(at, at + secret.Length, secret.Length);
            }
        }

        int[] places = [.. Enumerable.Range(0, plain.Length).Where(i => char.IsAsciiLetterOrDigit(plain[i]))];
        string letters = LettersOf(plain);
        foreach (string secret in _plain.Where(isMeant))
        {
            int length = Math.Min(secret.Length, telling);
            for (int i = 0; i + length <= letters.Length; i++)
            {
                if (secret.AsSpan().Contains(letters.AsSpan(i, length), StringComparison.Ordinal))
                {
                    Mark(places[i], places[i + length - 1] + 1, length);
                }
            }
        }

        foreach (Match run in WrittenRun().Matches(isFree ? plain : "").Where(static run => !Words().IsMatch(run.Value)))
        {
            isSecret.AsSpan(run.Index, run.Length).Fill(true);
        }

        if (Array.IndexOf(isSecret, true) < 0)
        {
            return text;
        }

        var left = new StringBuilder(plain.Length);
        for (int i = 0; i < plain.Length; i++)
        {
            _ = !isSecret[i] ? left.Append(plain[i]) : i == 0 || !isSecret[i - 1] ? left.Append(Mask) : left;
        }

        // Letters beyond ASCII next to a secret are the rest of it.
        return MaskAndNeighbours().Replace(left.ToString(), Mask);

        // A very short secret is removed only as a word, or no sentence would survive a password such as "on".
        void Mark(int start, int end, int length)
        {
            bool isWord = (start == 0 || !char.IsLetterOrDigit(plain[start - 1])) && (end == plain.Length || !char.IsLetterOrDigit(plain[end]));
            if (length >= Shortest || isWord)
            {
                isSecret.AsSpan(start..end).Fill(true);
            }
        }
    }

    // "a%2Fb", "a&#47;b" and "a\/b" are all a/b. An escape may be of an escape: %2525.
    private static string Unescape(string text)
    {
        for (int i = 0; i < MostEscapes && text.AsSpan().ContainsAny("%&\\"); i++)
        {
            text = WebUtility.HtmlDecode(Uri.UnescapeDataString(Backslash().Replace(text, static escape =>
                escape.Groups["hex"] is { Success: true } hex ? $"{(char)Convert.ToUInt16(hex.Value, 16)}" : escape.Value[1..])));
        }

        return text;
    }

    private static string LettersOf(string plain) => string.Concat(plain.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();

    [GeneratedRegex(@"\\(u(?<hex>[0-9A-Fa-f]{4})|x(?<hex>[0-9A-Fa-f]{2})|[^A-Za-z0-9])")]
    private static partial Regex Backslash();

    // What base64, percent signs and octal escapes are written with.
    [GeneratedRegex(@"[A-Za-z0-9+/_%\\-]{16,}")]
    private static partial Regex WrittenRun();

    // Numbers of up to four digits, capitals, and words of at least two small letters, each with a capital before it or none:
    // "InvalidAccessKeyId" and "authentication-required", not "hf_T0kenT0kenT0ken" and base64.
    [GeneratedRegex("^(?>[^A-Za-z0-9]+|(?![A-Za-z0-9]{25})([0-9]{1,4}|[A-Z]+|[a-z]+|([A-Z]?[a-z]{2,}){1,4})(?![A-Za-z0-9]))*$")]
    private static partial Regex Words();

    [GeneratedRegex(@"([^\x00-\x7F]|%[89A-Fa-f][0-9A-Fa-f])*\*\*\*([^\x00-\x7F]|%[89A-Fa-f][0-9A-Fa-f])*")]
    private static partial Regex MaskAndNeighbours();

    private void AddRequest(HttpRequestMessage request)
    {
        foreach ((string name, HeaderStringValues values) in request.Headers.NonValidated)
        {
            if (!OpenHeaders.Contains(name))
            {
                foreach (string value in values)
                {
                    AddHeader(name, value);
                }
            }
        }

        foreach (string pair in (request.RequestUri?.Query ?? "").TrimStart('?').Split('&'))
        {
            string[] parts = pair.Split('=', 2);
            if (OpenParameters.Contains(parts[0]))
            {
                continue;
            }

            // X-Amz-Credential=KEY%2FDATE%2FREGION%2Fs3%2Faws4_request: of it, the key alone. One without a value may be a token itself.
            bool isCredential = parts[0].EndsWith("-Credential", StringComparison.OrdinalIgnoreCase);
            Add(isCredential ? parts[^1].Split('%', '/')[0] : parts[^1], TokenLength);
        }

        AddUser(request.RequestUri is { IsAbsoluteUri: true } address ? Uri.UnescapeDataString(address.UserInfo) : "");
    }

    private void AddHeader(string name, string value)
    {
        if (name.Equals("User-Agent", StringComparison.OrdinalIgnoreCase) && value == "TypedWeights")
        {
            return;
        }

        bool isLogin = name.Equals("Authorization", StringComparison.OrdinalIgnoreCase)
            || name.Equals("Proxy-Authorization", StringComparison.OrdinalIgnoreCase);
        if (isLogin && (value.StartsWith("AWS4-", StringComparison.Ordinal) || value.StartsWith("SharedKey", StringComparison.Ordinal)))
        {
            // AWS4-HMAC-SHA256 Credential=KEY/DATE/…, SignedHeaders=…, Signature=SIGNATURE, or SharedKey ACCOUNT:SIGNATURE: the names of keys and
            // accounts are not secret, and errors show them.
            Add(value.Split(["Signature=", ":"], StringSplitOptions.None)[^1]);
            return;
        }

        Add(value);
        string[] parts = value.Split(' ', 2);
        if (isLogin && parts.Length == 2)
        {
            Add(parts[1].Trim());
            AddUser(parts[0].Equals("Basic", StringComparison.OrdinalIgnoreCase) ? Decoded(parts[1].Trim()) : "");
        }

        // session=SECRET; theme=dark
        foreach (string pair in value.Split(';', ','))
        {
            int equals = pair.IndexOf('=');
            Add(equals < 0 ? "" : pair[(equals + 1)..].Trim().Trim('"'));
        }
    }

    // user:password, of which the user's name is not secret unless it is so long that it is a token, or alone.
    private void AddUser(string userAndPassword)
    {
        Add(userAndPassword);
        if (userAndPassword.Split(':', 2) is [var user, var password])
        {
            Add(password);
            Add(user.Length >= TokenLength || password.Length == 0 ? user : "");
        }
    }

    /// <param name="secret">The secret.</param>
    /// <param name="whole">How many letters and digits it must have to be looked for in names.</param>
    private void Add(string secret, int whole = Telling)
    {
        string plain = Unescape(secret), letters = LettersOf(plain);
        if (letters.Length > 0 && (letters.Length >= Shortest || secret.Length < Shortest))
        {
            _plain.Add(letters);
        }
        else if (secret.Length > 0)
        {
            _literal.UnionWith([plain, Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(plain))]);
        }

        if (letters.Length >= whole)
        {
            _whole.Add(letters);
        }

        if (secret.Length >= Shortest)
        {
            string[] encoded = [.. EncodingsOf(secret).Select(LettersOf)];
            _plain.UnionWith(encoded.Where(static text => text.Length >= Shortest));
            _whole.UnionWith(encoded.Where(text => secret.Length >= whole && text.Length >= Telling));
        }
    }

    private static IEnumerable<string> EncodingsOf(string secret)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(secret);
        return
        [
            // By itself, and within a longer text that begins one or two bytes before it: without the letters that it shares with its neighbours.
            Convert.ToBase64String(bytes),
            Convert.ToBase64String([0, .. bytes])[2..],
            Convert.ToBase64String([0, 0, .. bytes])[3..],
            Convert.ToHexString(bytes),
            string.Concat(bytes.Select(static value => Convert.ToString(value, 8))),
            new([.. secret.Reverse()]),
        ];
    }

    private static string Decoded(string base64)
    {
        byte[] bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out int count) ? Encoding.UTF8.GetString(bytes, 0, count) : "";
    }
}
