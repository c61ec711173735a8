using System.Net;

namespace TypedWeights.Sources.HuggingFace;

/// <summary>Something behind the hub's address: a file of a repository at a commit, or an answer of its API.</summary>
internal sealed class HubFile(Uri address, string display, HubUri uri, HubCredentials login, Uri endpoint) : StoreFile(display)
{
    public override Uri Address => address;

    protected internal override ValueTask AuthorizeAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.Authorization = login.Header;
        return default;
    }

    protected internal override ValueTask<bool> RenewAsync(HttpResponseMessage refusal, CancellationToken cancellationToken) => new(
        refusal.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
        && login.Renew(refusal.RequestMessage?.Headers.Authorization?.Parameter));

    // The code tells what the status alone does not: for a repository that is not there, the hub asks for a login.
    protected internal override ValueTask<WeightSourceException?> ExplainAsync(
        HttpResponseMessage refusal, CancellationToken cancellationToken)
    {
        string code = refusal.Headers.TryGetValues("X-Error-Code", out IEnumerable<string>? codes) ? codes.First() : "";
        return new(code switch
        {
            "GatedRepo" => Gated(refusal),
            "RepoNotFound" => Missing(
                $"there is no repository {uri.Repository} on the hub, or it is private and {Unseen()}.{Unread()}"),
            "RevisionNotFound" => Missing($"the repository has no revision {uri.Revision ?? "main"}."),
            "EntryNotFound" => Missing("the repository has no such file at that revision."),
            "DisabledRepo" => new WeightSourceException(Display, "the hub has disabled the repository."),
            _ when refusal.StatusCode is HttpStatusCode.NotFound => Missing(
                $"the hub has no such file or repository (404), or the repository is private and {Unseen()}.{Unread()}"),
            _ => refusal.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden ? Refused(refusal) : null,
        });
    }

    private string Login() => $"the token of {login.Token?.Origin}";

    private string Unseen() => login.Token is null ? "nobody may see it without a token (HF_TOKEN)" : Login() + " may not see it";

    // Where a login is saved and cannot be read, that is what has to be put right.
    private string Unread() => login.Unread is { } unread ? " " + unread : "";

    private WeightSourceException Missing(string message) => new(Display, message) { IsNotFound = true };

    private WeightSourceException Gated(HttpResponseMessage refusal) => new(
        Display,
        login.Token is null || refusal.StatusCode == HttpStatusCode.Unauthorized
            ? $"the repository is gated: accept its terms at {endpoint}{uri.Repository} and give a token of that account in HF_TOKEN.{Unread()}"
            : $"the repository is gated, and the account of {Login()} has not been let in: accept its terms at {endpoint}{uri.Repository}.");

    private WeightSourceException Refused(HttpResponseMessage refusal) => new(
        Display,
        $"the hub refuses access ({(int)refusal.StatusCode}): "
            + (login.Token is null
                ? $"it asks for a token; give one in HF_TOKEN.{Unread()}"
                : $"{Login()} is not valid, or does not reach this repository."));
}
