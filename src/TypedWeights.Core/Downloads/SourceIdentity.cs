using System.Text.Json.Serialization;
using TypedWeights.Sources;

namespace TypedWeights.Downloads;

/// <summary>The identity of the file that a partial file is a part of. Files with equal identities are treated as the same file.</summary>
/// <param name="Source">The file as it may be shown: where it came from, without signatures and tokens.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Validator">Its ETag or time, as <see cref="IWeightSource.Validator"/>; null if the store has none.</param>
internal sealed record SourceIdentity(string Source, long Length, string? Validator)
{
    /// <summary>Whether a later download can tell that the file is still the same.</summary>
    [JsonIgnore]
    public bool IsCertain => Validator is not null;

    public static SourceIdentity Of(IWeightSource source) => new(source.Display, source.Length, source.Validator);

    /// <summary>Explains why what is left of an earlier download cannot be resumed.</summary>
    /// <param name="before">The file that was downloaded; null if that is not known.</param>
    /// <returns>The end of a sentence; null if it can be resumed.</returns>
    public string? Refuse(SourceIdentity? before)
    {
        if (before is null)
        {
            return "nothing describes its content";
        }

        if (before.Source != Source)
        {
            return $"it is a part of {before.Source}";
        }

        if (before.Length != Length || before.Validator != Validator)
        {
            return "the file has changed at its source since";
        }

        return IsCertain ? null : "its source sends no ETag or date that shows whether the file has changed since";
    }
}
