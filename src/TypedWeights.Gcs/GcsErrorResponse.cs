using System.Xml;
using System.Xml.Linq;

namespace TypedWeights.Sources.Gcs;

/// <summary>Says what the service's error codes mean, and what to do.</summary>
internal static class GcsErrorResponse
{
    public static async ValueTask<WeightSourceException?> ExplainAsync(
        HttpResponseMessage refusal, GcsFile file, GcsUri uri, GcsClient client, CancellationToken cancellationToken)
    {
        (string code, string details) = await ReadAsync(refusal, cancellationToken).ConfigureAwait(false);
        int status = (int)refusal.StatusCode;
        string told = StoreFile.QuoteStatus(refusal, code);
        if (status >= 500 || status == 429)
        {
            return null;
        }

        if (status == 404)
        {
            bool isPinned = refusal.RequestMessage?.RequestUri?.Query.Contains("generation=", StringComparison.Ordinal) == true;
            return Missing(code, told, file, uri, isPinned);
        }

        string? text = Refused(code, status, StoreFile.Quote(refusal, details), client);
        return text is null ? null : new WeightSourceException(file.Display, $"the store refuses ({told}): {text}");
    }

    private static WeightSourceException Missing(string code, string told, GcsFile file, GcsUri uri, bool isPinned)
    {
        if (code == "NoSuchBucket")
        {
            return new WeightSourceException(file.Display, $"there is no bucket {uri.Bucket} (NoSuchBucket).")
            {
                IsNotFound = true,
                IsPlaceNotFound = true,
            };
        }

        if (file.Version is { } generation)
        {
            return new WeightSourceException(
                file.Display,
                $"the bucket has the generation {generation} of this object no more ({told}); take the snapshot again, or ask for the latest.")
            {
                IsNotFound = true,
                IsPlaceNotFound = true,
            };
        }

        return isPinned
            ? new WeightSourceException(
                file.Display, "the file was replaced while it was read (its generation is gone, and the bucket keeps no old ones); load it again.")
            : new WeightSourceException(file.Display, $"the bucket {uri.Bucket} has no such object ({told}).") { IsNotFound = true };
    }

    private static string? Refused(string code, int status, string details, GcsClient client) => code switch
    {
        "UserProjectMissing" => "the bucket's owner does not pay for reads; name a project that does in GcsOptions.UserProject.",
        "UserProjectAccessDenied" or "UserProjectAccountProblem" =>
            $"the project that is to pay ({client.UserProject ?? "the credentials' quota project"}) cannot be charged by {client.Name}; "
                + "it takes the permission serviceusage.services.use and an open billing account.",
        _ when status == 401 && client.Credential is null => $"the object is not public, and it was asked with {client.Name}.",
        _ when status == 401 => $"the token of {client.Name} is not valid (any more), and no other could be had; log in again.",
        _ when status == 403 && client.Credential is null =>
            $"the object is not public, or is not there, and it was asked with {client.Name}.",
        _ when status == 403 => $"{client.Name}: {(details.Length > 0 ? details : "no access.")} Reading takes storage.objects.get, "
            + "which the role roles/storage.objectViewer on the bucket has.",
        "InvalidArgument" => "the bucket's name or the generation is not one.",
        _ => null,
    };

    private static async ValueTask<(string Code, string Details)> ReadAsync(HttpResponseMessage refusal, CancellationToken cancellationToken)
    {
        string text = await StoreFile.ReadTextAsync(refusal, cancellationToken).ConfigureAwait(false);
        try
        {
            using XmlReader reader = XmlReader.Create(
                new StringReader(text), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            XElement error = XElement.Load(reader);
            return (error.Element("Code")?.Value ?? "", error.Element("Details")?.Value ?? "");
        }
        catch (XmlException)
        {
            // A proxy's page, or an emulator's own words.
            return ("", "");
        }
    }
}
