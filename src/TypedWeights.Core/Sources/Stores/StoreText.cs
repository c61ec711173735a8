using System.Net;
using System.Text;
using TypedWeights.Errors;
using TypedWeights.Sources.Http;

namespace TypedWeights.Sources.Stores;

/// <summary>Reads a text of a store: a list, a description.</summary>
internal static class StoreText
{
    public static async ValueTask<string> GetAsync(HttpChannel channel, StoreFile file, int limit, CancellationToken cancellationToken)
    {
        var target = new HttpTarget(channel, file);
        HttpResponseMessage answer =
            await target.SendAsync(new RangeRequest(Range: null, IfMatch: null), cancellationToken).ConfigureAwait(false);
        using (answer)
        {
            if (answer.StatusCode != HttpStatusCode.OK)
            {
                throw HttpFailure.Of(answer, target.IsElsewhere(answer), file.Display);
            }

            try
            {
                await answer.Content.LoadIntoBufferAsync(limit, cancellationToken).ConfigureAwait(false);
                byte[] bytes = await answer.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
                return Encoding.UTF8.GetString(bytes);
            }
            catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
            {
                throw new WeightSourceException(
                    file.Display,
                    $"the store's answer is longer than {limit} bytes.",
                    innerException: ForeignText.Cause(e, answer.RequestMessage));
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                throw new WeightSourceException(
                    file.Display,
                    "the connection broke in the middle of the store's answer.",
                    innerException: ForeignText.Cause(e, answer.RequestMessage))
                {
                    IsTransient = true,
                };
            }
        }
    }
}
