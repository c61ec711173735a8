using TypedWeights.Errors;
using TypedWeights.Sources;

namespace TypedWeights.Checkpoints;

/// <summary>Secrets of a request that the file repeats: no message shows them.</summary>
internal static class RepeatedSecrets
{
    /// <summary>An error about the content of a file, without the secrets of the request for the file.</summary>
    public static SafeTensorsFormatException Remove(SafeTensorsFormatException error, IWeightSource source)
    {
        string clean = source is IRequestedSource { LastRequest: { } request } ? RequestSecrets.Of(request).ScrubOwn(error.Said) : error.Said;
        return clean == error.Said ? error : new SafeTensorsFormatException(error.Kind, error.File, clean, error.Position);
    }

    /// <summary>Throws if an index names a shard by a secret of the request for the index: the name is shown, and written.</summary>
    public static void ThrowIfShard(IEnumerable<string> shards, IWeightSource source)
    {
        if (source is IRequestedSource { LastRequest: { } request }
            && RequestSecrets.Of(request) is var secrets && shards.Any(secrets.IsIn))
        {
            throw new SafeTensorsFormatException(
                SafeTensorsErrorKind.UnsafeShardName,
                source.Display,
                "the index contains a credential or header of its request as the name of a shard; do not trust the server.");
        }
    }
}
