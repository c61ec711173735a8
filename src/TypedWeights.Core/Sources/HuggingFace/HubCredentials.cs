using System.Net.Http.Headers;

namespace TypedWeights.Sources.HuggingFace;

/// <summary>The token of a loader: looked up once, and again when the hub refuses it, as a saved token may have been renewed.</summary>
internal sealed class HubCredentials(HubSettings settings)
{
    private readonly Lock _gate = new();
    private (HubToken? Token, string? Unread)? _found;

    public HubToken? Token => Found.Token;

    /// <summary>Why there is no token although one is saved, as a sentence; null in any other case.</summary>
    public string? Unread => Found.Unread;

    public AuthenticationHeaderValue? Header => Token is { } token ? new AuthenticationHeaderValue("Bearer", token.Value) : null;

    private (HubToken? Token, string? Unread) Found
    {
        get
        {
            lock (_gate)
            {
                return _found ??= (settings.FindToken(out string? unread), unread);
            }
        }
    }

    /// <summary>Looks for the token again.</summary>
    /// <param name="refused">The token of the refused request.</param>
    /// <returns>Whether there is another token now.</returns>
    public bool Renew(string? refused)
    {
        lock (_gate)
        {
            _found = Found.Token?.Value == refused ? null : _found;
            return Found.Token is { } token && token.Value != refused;
        }
    }
}
