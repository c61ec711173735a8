using System.Runtime.ExceptionServices;
using TypedWeights.Sources.Http;

namespace TypedWeights.Sources.Stores;

/// <summary>Finds the model in a folder that cannot be listed: the usual names are asked for.</summary>
internal static class StoreFolder
{
    // What a folder may hold, in the order in which it is asked for.
    private static readonly string[] EntryNames =
    [
        "model.safetensors.index.json",
        "model.safetensors",
        "diffusion_pytorch_model.safetensors.index.json",
        "diffusion_pytorch_model.safetensors",
    ];

    public static async ValueTask<IWeightLocation> LocateAsync(
        HttpChannel channel, string display, string? revision, Func<string, StoreFile> file, CancellationToken cancellationToken)
    {
        WeightSourceException? refusal = null;
        foreach (string name in EntryNames)
        {
            var location = new StoreLocation(channel, name, revision, file);
            try
            {
                IWeightSource source = await location.OpenAsync(name, cancellationToken).ConfigureAwait(false);
                await source.DisposeAsync().ConfigureAwait(false);
                return location;
            }
            catch (WeightSourceException e) when (!e.IsTransient)
            {
                // Some stores refuse what is not there to those who may not list: the other names may be there all the same.
                refusal ??= e is { IsNotFound: true, IsPlaceNotFound: false } ? null : e;
            }
        }

        if (refusal is not null)
        {
            ExceptionDispatchInfo.Throw(refusal);
        }

        throw new WeightSourceException(
            display, $"the folder holds none of {string.Join(", ", EntryNames)}; name the file or index itself.")
        {
            IsNotFound = true,
        };
    }
}
