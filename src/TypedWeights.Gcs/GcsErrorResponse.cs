using System.Xml.Linq;

namespace TypedWeights.Sources.Gcs;

/// <summary>Says what the service's error codes mean, and what to do.</summary>
internal static class GcsErrorResponse
{
    public static async ValueTask<WeightSourceException?> ExplainAsync(
        HttpResponseMessage errorResponse, GcsFile file, GcsUri uri, GcsClient client, CancellationToken cancellationToken)
    {
        XElement? error = await StoreFile.ReadXmlAsync(errorResponse, cancellationToken).ConfigureAwait(false);
        string code = error?.Element("Code")?.Value ?? "", details = error?.Element("Details")?.Value ?? "";
        int status = (int)errorResponse.StatusCode;
        string told = StoreFile.QuoteStatus(errorResponse, code);
        if (status >= 500 || status == 429)
        {
            return null;
        }

        if (status == 404)
        {
            bool isPinned = errorResponse.RequestMessage?.RequestUri?.Query.Contains("generation=", StringComparison.Ordinal) == true;
            return Missing(code, told, file, uri, isPinned);
        }

        string? text = Refused(code, status, StoreFile.Quote(errorResponse, details), client);
        return text is null ? null : new WeightSourceException(file.Display, $"the store refused the request ({told}): {text}");
    }

    private static WeightSourceException Missing(string code, string told, GcsFile file, GcsUri uri, bool isPinned)
    {
        string message = code == "NoSuchBucket" ? $"there is no bucket {uri.Bucket} (NoSuchBucket)."
            : file.Version is { } generation ? $"the bucket no longer has the generation {generation} of this object ({told}); "
                + "take the snapshot again, or load the latest."
            : isPinned ? "the file was replaced while it was read (its generation is gone, and the bucket keeps no old ones); load it again."
            : $"the bucket {uri.Bucket} has no such object ({told}).";
        bool isPlace = code == "NoSuchBucket" || file.Version is not null;
        return new WeightSourceException(file.Display, message) { IsNotFound = isPlace || !isPinned, IsPlaceNotFound = isPlace };
    }

    private static string? Refused(string code, int status, string details, GcsClient client) => code switch
    {
        "UserProjectMissing" => "the bucket's owner does not pay for reads; set GcsOptions.UserProject to a project that does.",
        "UserProjectAccessDenied" or "UserProjectAccountProblem" =>
            $"the project that should pay ({client.UserProject ?? "the credentials' quota project"}) cannot be charged by {client.Name}; "
                + "that requires the permission serviceusage.services.use and an open billing account.",
        _ when status == 401 && client.Credential is null => $"the object is not public, and the request was sent with {client.Name}.",
        _ when status == 401 => $"the token of {client.Name} is not valid or has expired, and there is no other; log in again.",
        _ when status == 403 && client.Credential is null =>
            $"the object is not public, or is not there, and the request was sent with {client.Name}.",
        _ when status == 403 => $"{client.Name}: {(details.Length > 0 ? details : "no access.")} Reading requires storage.objects.get, "
            + "which the role roles/storage.objectViewer on the bucket has.",
        "InvalidArgument" => "the name of the bucket or the generation is not valid.",
        _ => null,
    };
}
