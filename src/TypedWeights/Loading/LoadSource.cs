using TypedWeights.Sources;
using TypedWeights.Sources.Given;

namespace TypedWeights.Loading;

/// <summary>What a load reads.</summary>
/// <param name="Uri">The source, as messages and log lines name it.</param>
/// <param name="Location">The file that the caller handed over; null for a source that the loader's stores find.</param>
internal sealed record LoadSource(WeightUri Uri, IWeightLocation? Location = null)
{
    /// <exception cref="WeightsException">The text is no path or URI.</exception>
    public static LoadSource Of(string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return WeightUri.TryParse(source, out WeightUri? uri, out string error) ? new LoadSource(uri) : throw new WeightsException(error);
    }

    /// <exception cref="ArgumentException">The stream cannot be read.</exception>
    public static LoadSource Of(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return stream.CanRead
            ? Of(GivenLocation.Of(stream))
            : throw new ArgumentException("The stream cannot be read: it is closed, or was opened for writing alone.", nameof(stream));
    }

    public static LoadSource Of(ReadOnlyMemory<byte> bytes) => Of(GivenLocation.Of(bytes));

    private static LoadSource Of(GivenLocation location) => new(WeightUri.Parse(location.EntryName), location);
}
