using System.Globalization;

namespace TypedWeights.Snapshots;

/// <summary>The part of a comparison that no load fails on: revision, files, metadata, and where the tensors are.</summary>
internal static class LayoutComparison
{
    /// <param name="old">The snapshot.</param>
    /// <param name="live">The snapshot as it would be taken now.</param>
    /// <param name="isNewHeader">Whether the names differ, so that a difference of the header's other bytes is not reported.</param>
    public static IEnumerable<SnapshotDifference> Compare(WeightSnapshot old, WeightSnapshot live, bool isNewHeader)
    {
        SnapshotDifference? moved = CompareLayout(old, live);
        if (old.Revision != live.Revision)
        {
            yield return new(
                SnapshotDifferenceKind.Revision, "", $"revision {old.Revision ?? "(none)"} became {live.Revision ?? "(none)"}");
        }

        if (old.Index != live.Index)
        {
            yield return new(
                SnapshotDifferenceKind.Revision,
                (live.Index ?? old.Index)!.Name,
                $"version {old.Index?.Version ?? "(none)"} became {live.Index?.Version ?? "(none)"}");
        }

        // A tie is an entry of the metadata, and is compared as the name it makes.
        var ties = TiedNames.Of(old).Concat(TiedNames.Of(live)).Select(tie => tie.Key).ToHashSet(StringComparer.Ordinal);
        Dictionary<string, SnapshotFile> now = live.Files.ToDictionary(file => file.Name, StringComparer.Ordinal);
        foreach (SnapshotFile was in old.Files)
        {
            if (!now.Remove(was.Name, out SnapshotFile? @is))
            {
                yield return new(SnapshotDifferenceKind.File, was.Name, "is no longer a file of the source");
                continue;
            }

            foreach (SnapshotDifference difference in CompareFile(was, @is, ties, isNewHeader || moved is not null))
            {
                yield return difference;
            }
        }

        foreach (SnapshotFile @is in now.Values)
        {
            yield return new(SnapshotDifferenceKind.File, @is.Name, "is a new file of the source");
        }

        if (moved is not null)
        {
            yield return moved;
        }
    }

    private static IEnumerable<SnapshotDifference> CompareFile(
        SnapshotFile was, SnapshotFile @is, HashSet<string> ties, bool isNewHeader)
    {
        int found = 0;
        if (was.Version != @is.Version)
        {
            yield return new(
                SnapshotDifferenceKind.Revision, was.Name, $"version {was.Version ?? "(none)"} became {@is.Version ?? "(none)"}");
        }

        if (was.Length != @is.Length)
        {
            found++;
            yield return new(
                SnapshotDifferenceKind.File,
                was.Name,
                string.Create(CultureInfo.InvariantCulture, $"{was.Length} bytes became {@is.Length}"));
        }

        if (was.Validator != @is.Validator)
        {
            found++;
            yield return new(SnapshotDifferenceKind.File, was.Name,
                $"validator {was.Validator ?? "(none)"} became {@is.Validator ?? "(none)"}: the values may differ");
        }

        Dictionary<string, string> now = @is.Metadata.Where(pair => !ties.Contains(pair.Key)).ToDictionary(StringComparer.Ordinal);
        foreach ((string key, string value) in was.Metadata.Where(pair => !ties.Contains(pair.Key)))
        {
            if (now.Remove(key, out string? other) && value == other)
            {
                continue;
            }

            found++;
            yield return new(SnapshotDifferenceKind.Metadata, was.Name,
                other is null ? $"the metadata \"{key}\" is gone" : $"the metadata \"{key}\" was \"{value}\" and is \"{other}\"");
        }

        foreach ((string key, string value) in now)
        {
            found++;
            yield return new(SnapshotDifferenceKind.Metadata, was.Name, $"the metadata \"{key}\" is new: \"{value}\"");
        }

        if (found == 0 && !isNewHeader && was.HeaderSha256 != @is.HeaderSha256)
        {
            yield return new(SnapshotDifferenceKind.File, was.Name, "the header is formatted differently");
        }
    }

    // One difference however many tensors moved: resharding moves them all.
    private static SnapshotDifference? CompareLayout(WeightSnapshot old, WeightSnapshot live)
    {
        string[] moved =
        [
            .. old.Tensors.Join(
                    live.Tensors, static was => was.Name, static @is => @is.Name, static (was, @is) => (Was: was, Is: @is), StringComparer.Ordinal)
                .Where(pair => pair.Was.Begin != pair.Is.Begin || old.Files[pair.Was.File].Name != live.Files[pair.Is.File].Name)
                .Select(static pair => pair.Was.Name).Order(StringComparer.Ordinal),
        ];
        return moved switch
        {
            [] => null,
            [string only] => new(SnapshotDifferenceKind.Layout, only, "moved"),
            [string first, ..] => new(SnapshotDifferenceKind.Layout, first,
                string.Create(CultureInfo.InvariantCulture, $"moved, along with {moved.Length - 1} more")),
        };
    }
}
