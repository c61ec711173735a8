using TypedWeights.Checkpoints;
using TypedWeights.Sources;

namespace TypedWeights.Transfer.Planning;

/// <summary>Files that can only be read in sequence are read when all of them is wanted: the rest would come along for nothing.</summary>
internal static class WholeFiles
{
    /// <param name="files">The files.</param>
    /// <param name="wanted">What is wanted of them.</param>
    /// <exception cref="WeightSourceException">Of a file that comes as a whole, a part is wanted.</exception>
    public static void Check(IReadOnlyList<CheckpointFile> files, ReadOnlySpan<WantedBytes> wanted)
    {
        for (int i = 0; i < wanted.Length;)
        {
            int file = wanted[i].File;
            int first = i;
            long bytes = 0;
            for (; i < wanted.Length && wanted[i].File == file; i++)
            {
                bytes += wanted[i].Length;
            }

            (_, IWeightSource source, SafeTensorsHeader header) = files[file];
            if (source.IsSequential && bytes != header.DataLength)
            {
                throw new WeightSourceException(
                    source.Display,
                    $"the file can only be read as a whole, as its server ignores range requests or its stream cannot seek, and only {i - first} "
                        + $"of its {header.Tensors.Count} tensors are wanted. Load all of them, or save the file first and give its path.");
            }
        }
    }
}
