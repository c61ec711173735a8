using System.Globalization;
using TypedWeights.Checkpoints;
using TypedWeights.Manifests;

namespace TypedWeights.Transfer.Planning;

/// <summary>
/// The order in which a model uses its tensors, in steps: tensors that are used together, such as those of a layer, are one step. The
/// order changes when a tensor is read, and never what is read.
/// </summary>
/// <param name="steps">The number of the step of each tensor.</param>
internal sealed class UseOrder(IReadOnlyList<int> steps)
{
    /// <summary>The number of the step of each tensor of a selection, from 0.</summary>
    public IReadOnlyList<int> Steps => steps;

    /// <summary>Orders the tensors of a selection.</summary>
    /// <param name="selection">The tensors with all their names. A tensor is needed when the first of its names is.</param>
    /// <param name="patterns">
    /// What comes first, in this order. The other tensors, and those of one pattern, are in the usual order of <see cref="StepName"/>.
    /// </param>
    /// <exception cref="WeightsException">A pattern matches no tensor.</exception>
    public static UseOrder Of(TensorSelection selection, IReadOnlyList<NameGlob> patterns)
    {
        var used = new bool[patterns.Count];
        var first = new (int Pattern, StepName Name)?[selection.Tensors.Count];
        foreach ((string name, int tensor) in selection.Names)
        {
            int pattern = 0;
            while (pattern < patterns.Count && !patterns[pattern].Matches(name))
            {
                pattern++;
            }

            if (pattern < patterns.Count)
            {
                used[pattern] = true;
            }

            (int, StepName) step = (pattern, new StepName(name));
            if (first[tensor] is not { } known || Compare(step, known) < 0)
            {
                first[tensor] = step;
            }
        }

        int unused = Array.IndexOf(used, false);
        return unused < 0 ? new UseOrder(Number(first)) : throw UnmatchedPattern.Error("OrderOfUse", patterns[unused], selection);
    }

    /// <summary>
    /// Puts wanted bytes into this order. Bytes of one step that follow each other in a file stay together, so that a layer is read in one
    /// range where it lies in one piece. A file that can only be read in order is one piece, which is needed at its first step.
    /// </summary>
    /// <param name="files">The files.</param>
    /// <param name="wanted">The bytes, file by file in the order of the files.</param>
    public WantedBytes[] Sort(IReadOnlyList<CheckpointFile> files, WantedBytes[] wanted)
    {
        var pieces = new List<(int Step, int First, int End)>();
        for (int i = 0; i < wanted.Length; i++)
        {
            int file = wanted[i].File, step = steps[wanted[i].Target];
            bool isSameFile = pieces.Count > 0 && wanted[pieces[^1].First].File == file;
            if (isSameFile && (files[file].Source.IsSequential || pieces[^1].Step == step))
            {
                pieces[^1] = (Math.Min(pieces[^1].Step, step), pieces[^1].First, i + 1);
            }
            else
            {
                pieces.Add((step, i, i + 1));
            }
        }

        pieces.Sort();
        var sorted = new List<WantedBytes>(wanted.Length);
        int end = 0;
        foreach ((_, int first, int next) in pieces)
        {
            sorted.Add(wanted[first] with { StartsRange = first != end });
            sorted.AddRange(wanted.AsSpan((first + 1)..next));
            end = next;
        }

        return [.. sorted];
    }

    private static int[] Number((int Pattern, StepName Name)?[] steps)
    {
        int[] order = [.. Enumerable.Range(0, steps.Length)];
        Array.Sort(order, (a, b) => Compare(steps[a]!.Value, steps[b]!.Value));
        int[] numbers = new int[steps.Length];
        int step = 0;
        for (int i = 0; i < order.Length; i++)
        {
            step += i > 0 && Compare(steps[order[i - 1]]!.Value, steps[order[i]]!.Value) != 0 ? 1 : 0;
            numbers[order[i]] = step;
        }

        return numbers;
    }

    private static int Compare((int Pattern, StepName Name) a, (int Pattern, StepName Name) b) =>
        a.Pattern != b.Pattern ? a.Pattern.CompareTo(b.Pattern) : a.Name.CompareTo(b.Name);
}

/// <summary>
/// The part of a name that tensors of one step share (<c>model.layers.3</c>, <c>model.norm</c>), and the usual order of such parts:
/// embeddings, encoders, numbered layers by their number, decoders, norms, heads.
/// </summary>
internal readonly struct StepName : IComparable<StepName>
{
    private readonly string[] _segments;

    /// <param name="tensor">A tensor's name.</param>
    public StepName(string tensor)
    {
        string[] segments = tensor.Split('.');
        int number = Array.FindIndex(segments, NamePattern.IsNumber);
        _segments = segments[..(number >= 0 ? number + 1 : Math.Max(1, segments.Length - 1))];
    }

    public int CompareTo(StepName other)
    {
        int shared = Math.Min(_segments.Length, other._segments.Length);
        for (int i = 0; i < shared; i++)
        {
            int order = Compare(_segments[i], other._segments[i]);
            if (order != 0)
            {
                return order;
            }
        }

        return _segments.Length.CompareTo(other._segments.Length);
    }

    private static int Compare(string a, string b)
    {
        if (a == b)
        {
            return 0;
        }

        bool isNumber = NamePattern.IsNumber(a);
        if (isNumber && NamePattern.IsNumber(b))
        {
            return Number(a).CompareTo(Number(b));
        }

        int order = Rank(a).CompareTo(Rank(b));
        return order != 0 ? order : string.CompareOrdinal(a, b);
    }

    // The names that common models give their parts. A wrong rank only changes the order in which layers are read.
    private static int Rank(string segment)
    {
        string word = segment.ToLowerInvariant();
        return word switch
        {
            "wte" or "wpe" or "shared" or "stem" or "conv_in" => 0,
            "classifier" or "cls" or "output" or "pooler" or "score" or "conv_out" or "proj_out" => 5,
            _ when word.Contains("embed", StringComparison.Ordinal) || word.EndsWith("emb", StringComparison.Ordinal) => 0,
            _ when word.EndsWith("head", StringComparison.Ordinal) || word.EndsWith("heads", StringComparison.Ordinal) => 5,
            _ when word.Contains("norm", StringComparison.Ordinal) || word.StartsWith("ln_", StringComparison.Ordinal) => 4,
            _ when word.Contains("decoder", StringComparison.Ordinal) => 3,
            _ when word.Contains("encoder", StringComparison.Ordinal) => 1,
            _ => 2,
        };
    }

    private static int Number(string segment) => int.Parse(segment, NumberStyles.None, CultureInfo.InvariantCulture);
}
