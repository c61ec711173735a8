using TypedWeights.Sources;

namespace TypedWeights.Downloads;

/// <summary>Which bytes a partial file holds a part of: two files with equal identities are taken for the same.</summary>
/// <param name="Source">The file as it may be shown: where it came from, without signatures and tokens.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Validator">Its ETag or time, as <see cref="IWeightSource.Validator"/>; null where the store has none.</param>
internal sealed record SourceIdentity(string Source, long Length, string? Validator)
{
    /// <summary>Whether a later download can tell that the file is still the same.</summary>
    public bool IsCertain => Validator is not null;

    public static SourceIdentity Of(IWeightSource source) => new(source.Display, source.Length, source.Validator);
}
