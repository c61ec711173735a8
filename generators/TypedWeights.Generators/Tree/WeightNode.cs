using System.Globalization;
using TypedWeights.Manifests;

namespace TypedWeights.Generators.Tree;

/// <summary>A name of the header, split at its dots, as a place in a tree.</summary>
internal sealed class WeightNode
{
    // More levels than any model has. A deeper name stays one segment with its dots, so that walking the tree cannot overflow the stack.
    private const int MostLevels = 64;

    private static readonly char[] Dot = ['.'];
    private static readonly SortedDictionary<string, WeightNode> NoWords = new(StringComparer.Ordinal);
    private static readonly SortedDictionary<int, WeightNode> NoNumbers = [];

    private SortedDictionary<string, WeightNode>? _words;
    private SortedDictionary<int, WeightNode>? _numbers;

    private WeightNode(string name) => Name = name;

    /// <summary>The whole name up to here; empty for the root.</summary>
    public string Name { get; }

    /// <summary>The tensor that has this name, if any.</summary>
    public WeightTensor? Tensor { get; private set; }

    /// <summary>The children that are not numbers, in ordinal order.</summary>
    public IReadOnlyDictionary<string, WeightNode> Words => _words ?? NoWords;

    /// <summary>The children that are numbers, ascending.</summary>
    public IReadOnlyDictionary<int, WeightNode> Numbers => _numbers ?? NoNumbers;

    public static WeightNode Build(IEnumerable<WeightTensor> tensors, CancellationToken cancellationToken)
    {
        var root = new WeightNode("");
        foreach (WeightTensor tensor in tensors)
        {
            cancellationToken.ThrowIfCancellationRequested();
            WeightNode node = root;
            int end = -1;
            foreach (string segment in tensor.Name.Split(Dot, MostLevels))
            {
                end += segment.Length + 1;
                node = node.Child(segment, tensor.Name, end);
            }

            node.Tensor = tensor;
        }

        return root;
    }

    private WeightNode Child(string segment, string name, int end)
    {
        if (NamePattern.IsNumber(segment))
        {
            int number = int.Parse(segment, CultureInfo.InvariantCulture);
            _numbers ??= [];
            if (!_numbers.TryGetValue(number, out WeightNode? item))
            {
                item = new WeightNode(name.Substring(0, end));
                _numbers.Add(number, item);
            }

            return item;
        }

        _words ??= new(StringComparer.Ordinal);
        if (!_words.TryGetValue(segment, out WeightNode? word))
        {
            word = new WeightNode(name.Substring(0, end));
            _words.Add(segment, word);
        }

        return word;
    }
}

/// <summary>A tensor of the tree.</summary>
/// <param name="Name">The whole name.</param>
/// <param name="DType">The element type.</param>
/// <param name="Shape">The shape.</param>
/// <param name="TiedTo">The name of the tensor that has the bytes, if this one is tied to it.</param>
internal sealed record WeightTensor(string Name, DType DType, TensorShape Shape, string? TiedTo);
