using TypedWeights.Errors;
using TypedWeights.Sources;

namespace TypedWeights.Checkpoints;

/// <summary>What a file repeats of the secrets that its server was sent: no message shows it.</summary>
internal static class RepeatedSecrets
{
    /// <summary>An error about what a file holds, without what it repeats of the request that it was asked for with.</summary>
    public static SafeTensorsFormatException Remove(SafeTensorsFormatException error, IWeightSource source)
    {
        string clean = source is IRequestedSource { Asked: { } request } ? RequestSecrets.Of(request).ScrubOwn(error.Said) : error.Said;
        return clean == error.Said ? error : new SafeTensorsFormatException(error.Kind, error.File, clean, error.Position);
    }

    /// <summary>Throws where an index of a server names a shard by a secret that the server was sent: the name is shown, and written.</summary>
    public static void ThrowIfShard(IEnumerable<string> shards, IWeightSource source)
    {
        if (source is IRequestedSource { Asked: { } request }
            && RequestSecrets.Of(request) is var secrets && shards.Any(secrets.IsIn))
        {
            throw new SafeTensorsFormatException(
                SafeTensorsErrorKind.UnsafeShardName,
                source.Display,
                "the index names a shard by the login, key or header that it was asked for with; the server is not to be trusted.");
        }
    }
}
