using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;

namespace TypedWeights.Errors;

/// <summary>
/// What a request held that nobody may read in a message: its login in every part and spelling, the caller's headers, and of its URL the
/// parameters that are not shown. Read from the request when something goes wrong, never while all is well.
/// </summary>
internal sealed partial class RequestSecrets
{
    /// <summary>What is left out of a text stands as this.</summary>
    public const string Mask = "***";

    // A run of this many letters and digits that a secret has too is a part of it: a server may repeat a token cut short.
    private const int Telling = 8;

    // The same in a sentence of the library or a store, whose words may well be in an account's name or a header. Where a secret has a digit in
    // it, it need not be as long.
    private const int TellingInOwnWords = 16;

    // Shorter ones are left out only where they stand as a word, or no sentence would survive a password such as "on".
    private const int Shortest = 4;

    // A user name, parameter or run of letters and digits of this length is more likely a token.
    private const int TokenLength = 16;

    // The longest that a word of a sentence gets.
    private const int LongestWord = 24;

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

    // As letters and digits in lower case, or, where a secret has too few of those, as it is.
    private readonly HashSet<string> _plain = new(StringComparer.Ordinal);
    private readonly HashSet<string> _literal = new(StringComparer.OrdinalIgnoreCase);

    // Those that no name of a file holds by chance.
    private readonly HashSet<string> _whole = new(StringComparer.Ordinal);

    private RequestSecrets()
    {
    }

    /// <summary>Set for a request that a redirect led to: the one that was redirected, whose secrets its server may know.</summary>
    public static readonly HttpRequestOptionsKey<HttpRequestMessage> RedirectedKey = new("TypedWeights.Redirected");

    /// <summary>
    /// The secrets of a request that was sent, with what the client added to it (the login of a proxy, say), and of those that were redirected
    /// to it.
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

    /// <summary>
    /// Leaves every secret out of a text, however it is written there: in other case, escaped, encoded, taken apart by other characters.
    /// </summary>
    public string Scrub(string text) => WithoutSecrets(text, static _ => true, Telling);

    /// <summary>
    /// The same, and without any long run of letters and digits that is made of no words, where there is a secret: it may be one in an encoding
    /// that nobody thought of.
    /// </summary>
    public string ScrubQuoted(string text) => WithoutSecrets(text, static _ => true, Telling, static run => !IsOfWords(run));

    /// <summary>Whether a name that a server chose has a whole secret in it, in any spelling.</summary>
    public bool IsIn(string name)
    {
        if (_whole.Count == 0)
        {
            return false;
        }

        string letters = new PlainText(name).Text;
        return _whole.Any(secret => letters.Contains(secret, StringComparison.Ordinal));
    }

    private bool HasAny => _plain.Count > 0 || _literal.Count > 0;

    // "InvalidAccessKeyId" and "authentication-required" are of words; "hf_T0kenT0kenT0ken" and base64 are not.
    private static bool IsOfWords(string run)
    {
        foreach (Match part in Letters().Matches(run))
        {
            if (part.Length > LongestWord || !Words().IsMatch(part.Value))
            {
                return false;
            }
        }

        return true;
    }

    // What base64, percent signs and octal escapes are written with.
    [GeneratedRegex(@"[A-Za-z0-9+/_%\\-]{16,}")]
    private static partial Regex WrittenRun();

    [GeneratedRegex("[A-Za-z0-9]+")]
    private static partial Regex Letters();

    [GeneratedRegex(@"([^\x00-\x7F]|%[89A-Fa-f][0-9A-Fa-f])*\*\*\*([^\x00-\x7F]|%[89A-Fa-f][0-9A-Fa-f])*")]
    private static partial Regex MaskAndNeighbours();

    // A number of up to four digits, capitals, or words of at least two small letters, each with a capital before it or none.
    [GeneratedRegex("^([0-9]{1,4}|[A-Z]+|[a-z]+|([A-Z]?[a-z]{2,}){1,4})$")]
    private static partial Regex Words();

    /// <summary>
    /// The same for a sentence of the library or a store. What stands in quotation marks in it is somebody else's; of its own words none is left
    /// out that is a short secret, or one without a digit, as those may well be words ("the", "token", "resource").
    /// </summary>
    public string ScrubOwn(string text)
    {
        int first = text.IndexOf('"', StringComparison.Ordinal), last = text.LastIndexOf('"');
        return first == last ? ScrubWords(text) : ScrubWords(text[..first]) + Scrub(text[first..last]) + ScrubWords(text[last..]);
    }

    private string ScrubWords(string text) => WithoutSecrets(text, IsTelling, TellingInOwnWords);

    private static bool IsTelling(string secret) =>
        secret.Length >= TellingInOwnWords || (secret.Length >= Telling && secret.Any(char.IsAsciiDigit));

    private string WithoutSecrets(string text, Func<string, bool> isMeant, int telling, Func<string, bool>? isSuspect = null)
    {
        if (!HasAny || text.Length == 0)
        {
            return text;
        }

        string scrubbed = _literal.Where(isMeant).Aggregate(text, static (left, secret) => WithoutWord(left, secret));
        return WithoutPlain(scrubbed, isMeant, telling, isSuspect ?? (static _ => false));
    }

    private string WithoutPlain(string text, Func<string, bool> isMeant, int telling, Func<string, bool> isSuspect)
    {
        var letters = new PlainText(text);
        bool[] isSecret = new bool[letters.Text.Length];
        foreach (string secret in _plain.Where(isMeant))
        {
            int length = Math.Min(secret.Length, telling);
            for (int i = 0; i + length <= isSecret.Length; i++)
            {
                ReadOnlySpan<char> run = letters.Text.AsSpan(i, length);
                if (secret.AsSpan().Contains(run, StringComparison.Ordinal)
                    && (length >= Shortest || letters.IsWord(i, length)))
                {
                    isSecret.AsSpan(i, length).Fill(true);
                }
            }
        }

        foreach (Match run in WrittenRun().Matches(text).Where(run => isSuspect(run.Value)))
        {
            letters.Mark(isSecret, run.Index, run.Index + run.Length);
        }

        // Letters beyond ASCII next to a secret are the rest of it.
        return Array.IndexOf(isSecret, true) < 0 ? text : MaskAndNeighbours().Replace(letters.Without(isSecret, Mask), Mask);
    }

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
        if (isLogin && value.StartsWith("AWS4-", StringComparison.Ordinal))
        {
            // AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/s3/aws4_request, …, Signature=…: the key's id is no secret, and errors name it.
            Add(Between(value, "Signature=", ','));
            return;
        }

        if (isLogin && value.StartsWith("SharedKey", StringComparison.Ordinal))
        {
            // SharedKey ACCOUNT:SIGNATURE
            Add(value[(value.LastIndexOf(':') + 1)..]);
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

    // user:password, of which the user's name alone is none, unless it is so long that it is a token.
    private void AddUser(string userAndPassword)
    {
        int colon = userAndPassword.IndexOf(':');
        if (colon >= 0)
        {
            Add(userAndPassword);
            Add(userAndPassword[(colon + 1)..]);
            bool isToken = colon >= TokenLength || colon == userAndPassword.Length - 1;
            Add(isToken ? userAndPassword[..colon] : "");
        }
        else
        {
            Add(userAndPassword);
        }
    }

    /// <param name="secret">The secret.</param>
    /// <param name="whole">How many letters and digits it must have to be looked for in names.</param>
    private void Add(string secret, int whole = Telling)
    {
        if (secret.Length == 0)
        {
            return;
        }

        string letters = new PlainText(secret).Text;
        if (letters.Length == 0 || (letters.Length < Shortest && secret.Length >= Shortest))
        {
            _literal.Add(secret);
            _literal.Add(Uri.EscapeDataString(secret));
            _literal.Add(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(secret)));
        }
        else
        {
            _plain.Add(letters);
        }

        if (letters.Length >= whole)
        {
            _whole.Add(letters);
        }

        if (secret.Length >= Shortest)
        {
            AddEncoded(secret, isWhole: secret.Length >= whole);
        }
    }

    private void AddEncoded(string secret, bool isWhole)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(secret);
        string reversed = new([.. secret.Reverse()]);
        string[] encoded =
        [
            // By itself, and within a longer text that begins one or two bytes before it: without the letters that it shares with its neighbours.
            Convert.ToBase64String(bytes),
            Convert.ToBase64String([0, .. bytes])[2..],
            Convert.ToBase64String([0, 0, .. bytes])[3..],
            Convert.ToHexString(bytes),
            string.Concat(bytes.Select(static value => Convert.ToString(value, 8))),
            reversed,
        ];
        foreach (string text in encoded)
        {
            string letters = new PlainText(text).Text;
            if (letters.Length >= Shortest)
            {
                _plain.Add(letters);
            }
        }

        if (isWhole)
        {
            _whole.Add(new PlainText(Convert.ToHexString(bytes)).Text);
            _whole.Add(new PlainText(Convert.ToBase64String(bytes)).Text);
            _whole.UnionWith(new PlainText(reversed).Text is { Length: >= Telling } letters ? [letters] : []);
        }
    }

    private static string Between(string text, string start, char end)
    {
        int first = text.IndexOf(start, StringComparison.Ordinal);
        return first < 0 ? "" : text[(first + start.Length)..].Split(end)[0].Trim();
    }

    private static string Decoded(string base64)
    {
        byte[] bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out int count) ? Encoding.UTF8.GetString(bytes, 0, count) : "";
    }

    private static string WithoutWord(string text, string secret)
    {
        for (int at = 0; (at = text.IndexOf(secret, at, StringComparison.OrdinalIgnoreCase)) >= 0;)
        {
            int end = at + secret.Length;
            bool isWord = (at == 0 || !char.IsLetterOrDigit(text[at - 1])) && (end == text.Length || !char.IsLetterOrDigit(text[end]));
            if (secret.Length < Shortest && !isWord)
            {
                at = end;
                continue;
            }

            text = text[..at] + Mask + text[end..];
            at += Mask.Length;
        }

        return text;
    }
}
