using System.Globalization;
using TypedWeights.Manifests;

namespace TypedWeights.Transfer.Planning;

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
