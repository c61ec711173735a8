using System.Net;

namespace TypedWeights.Sources.HuggingFace;

/// <summary>Something at the hub: a file of a repository at a commit, or a response of its API.</summary>
internal sealed class HubFile(Uri address, string display, HubUri uri, HubCredentials credentials, Uri endpoint) : StoreFile(display)
{
    public override Uri Address => address;

    protected internal override ValueTask AuthorizeAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.Authorization = credentials.Header;
        return default;
    }

    protected internal override ValueTask<bool> RenewAsync(HttpResponseMessage errorResponse, CancellationToken cancellationToken) => new(
        errorResponse.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
        && credentials.Renew(errorResponse.RequestMessage?.Headers.Authorization?.Parameter));

    // The code says what the status does not: for an absent repository, the hub responds with 401.
    protected internal override ValueTask<WeightSourceException?> ExplainAsync(
        HttpResponseMessage errorResponse, CancellationToken cancellationToken)
    {
        return new(HeaderOf(errorResponse, "X-Error-Code") switch
        {
            "GatedRepo" => Gated(errorResponse),
            "RepoNotFound" => Missing(
                $"there is no repository {uri.Repository} on the hub, or it is private and {Unseen()}.{Unread()}"),
            "RevisionNotFound" => Missing($"the repository has no revision {uri.Revision ?? "main"}."),
            "EntryNotFound" => Missing("the repository has no such file at that revision."),
            "DisabledRepo" => new WeightSourceException(Display, "the hub has disabled the repository."),
            _ when errorResponse.StatusCode is HttpStatusCode.NotFound => Missing(
                $"the hub has no such file or repository (404), or the repository is private and {Unseen()}.{Unread()}"),
            _ => errorResponse.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden ? Refused(errorResponse) : null,
        });
    }

    private string TokenName() => $"the token of {credentials.Token?.Origin}";

    private string Unseen() => credentials.Token is null ? "nobody may see it without a token (HF_TOKEN)" : TokenName() + " may not see it";

    // If a saved token cannot be read, that has to be repaired first.
    private string Unread() => credentials.Unread is { } unread ? " " + unread : "";

    private WeightSourceException Missing(string message) => new(Display, message) { IsNotFound = true };

    private WeightSourceException Gated(HttpResponseMessage errorResponse) => new(
        Display,
        credentials.Token is null || errorResponse.StatusCode == HttpStatusCode.Unauthorized
            ? $"the repository is gated: accept its terms at {endpoint}{uri.Repository} and set HF_TOKEN to a token of that account.{Unread()}"
            : $"the repository is gated, and the account of {TokenName()} has no access: accept its terms at {endpoint}{uri.Repository}.");

    private WeightSourceException Refused(HttpResponseMessage errorResponse) => new(
        Display,
        $"the hub denied access ({(int)errorResponse.StatusCode}): "
            + (credentials.Token is null
                ? $"it requires a token; give one in HF_TOKEN.{Unread()}"
                : $"{TokenName()} is not valid, or does not grant access to this repository."));
}
