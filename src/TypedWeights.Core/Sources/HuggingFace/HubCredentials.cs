using System.Net.Http.Headers;

namespace TypedWeights.Sources.HuggingFace;

/// <summary>The token of a loader: looked up once, and again when the hub refuses it, as a saved login may have been renewed.</summary>
internal sealed class HubCredentials(HubSettings settings)
{
    private readonly Lock _gate = new();
    private HubToken? _token;
    private string? _unread;
    private bool _isKnown;

    public HubToken? Token
    {
        get
        {
            lock (_gate)
            {
                if (!_isKnown)
                {
                    _token = settings.FindToken(out _unread);
                    _isKnown = true;
                }

                return _token;
            }
        }
    }

    /// <summary>Why there is no token though a login is saved, as a sentence; null for any other case.</summary>
    public string? Unread => Token is null ? _unread : null;

    public AuthenticationHeaderValue? Header => Token is { } token ? new AuthenticationHeaderValue("Bearer", token.Value) : null;

    /// <summary>Looks again for the token.</summary>
    /// <param name="refused">The one that a request was refused with.</param>
    /// <returns>Whether there is another now.</returns>
    public bool Renew(string? refused)
    {
        lock (_gate)
        {
            if (_token?.Value == refused)
            {
                _token = settings.FindToken(out _unread);
            }

            return _token is not null && _token.Value != refused;
        }
    }
}
