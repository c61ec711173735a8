using TypedWeights.Checkpoints;

namespace TypedWeights.Transfer.Planning;

/// <summary>Puts what is wanted of files into the order of its use.</summary>
internal static class UsedBytes
{
    /// <summary>
    /// Bytes of one step that follow each other in a file stay together, in the order of the file: a layer is read at one go where it lies
    /// so. A file that comes as a whole is one piece, needed when its first step is.
    /// </summary>
    /// <param name="files">The files.</param>
    /// <param name="wanted">File by file in the order of the bytes.</param>
    /// <param name="steps">For each tensor the step in which it is used.</param>
    public static WantedBytes[] InOrder(IReadOnlyList<CheckpointFile> files, WantedBytes[] wanted, IReadOnlyList<int> steps)
    {
        var pieces = new List<Piece>();
        for (int i = 0; i < wanted.Length; i++)
        {
            int file = wanted[i].File, step = steps[wanted[i].Target];
            Piece? last = pieces.Count == 0 ? null : pieces[^1];
            bool isWhole = files[file].Source.IsSequential;
            if (last is null || wanted[last.First].File != file || (!isWhole && last.Step != step))
            {
                pieces.Add(new Piece(i, step));
            }
            else
            {
                last.Step = Math.Min(last.Step, step);
            }

            pieces[^1].End = i + 1;
        }

        var inOrder = new List<WantedBytes>(wanted.Length);
        int end = 0;
        foreach (Piece piece in pieces.OrderBy(static piece => piece.Step).ThenBy(static piece => piece.First))
        {
            inOrder.Add(wanted[piece.First] with { BeginsAnew = piece.First != end });
            inOrder.AddRange(wanted[(piece.First + 1)..piece.End]);
            end = piece.End;
        }

        return [.. inOrder];
    }

    private sealed class Piece(int first, int step)
    {
        public int First { get; } = first;

        public int End { get; set; }

        public int Step { get; set; } = step;
    }
}
