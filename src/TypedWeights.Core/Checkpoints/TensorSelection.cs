using TypedWeights.Errors;

namespace TypedWeights.Checkpoints;

/// <summary>Which tensors of a checkpoint are read, and the names that each one gets.</summary>
/// <param name="Tensors">The tensors to read, each once.</param>
/// <param name="Names">Every name with the index of its tensor in <paramref name="Tensors"/>; tied names share one.</param>
internal sealed record TensorSelection(IReadOnlyList<CheckpointTensor> Tensors, IReadOnlyList<KeyValuePair<string, int>> Names)
{
    private const int NamesInMessage = 3;

    /// <summary>Everything that a checkpoint holds, tied names included: the state dict.</summary>
    public static TensorSelection All(Checkpoint checkpoint) =>
        Of(checkpoint, StateDict(checkpoint), checkpoint.Tensors.Count + checkpoint.Ties.Count);

    /// <summary>The names of the state dict that a filter accepts. An accepted tied name selects its tensor under that name only.</summary>
    /// <exception cref="WeightsException">It accepts no name of a checkpoint that has tensors: a wrong prefix, most likely.</exception>
    public static TensorSelection Matching(Checkpoint checkpoint, Func<string, bool> filter)
    {
        TensorSelection selection = Of(checkpoint, StateDict(checkpoint).Where(pair => filter(pair.Key)));
        int count = checkpoint.Tensors.Count + checkpoint.Ties.Count;
        if (selection.Names.Count == 0 && count > 0)
        {
            IEnumerable<string> some = StateDict(checkpoint).Take(NamesInMessage).Select(pair => Printable.Name(pair.Key));
            throw new WeightsException(
                $"{checkpoint.Uri.Display}: the filter matches "
                    + (count == 1 ? "no tensor: the only one is named " : $"none of the {count} tensors; they are named ")
                    + string.Join(", ", some)
                    + (count > NamesInMessage ? " and so on." : "."));
        }

        return selection;
    }

    /// <summary>Some names, each with a tensor of the checkpoint.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="tensorByName">The names, each with the name of its tensor.</param>
    /// <param name="count">How many names there are, if that is known: a list that grows takes twice the memory.</param>
    public static TensorSelection Of(Checkpoint checkpoint, IEnumerable<KeyValuePair<string, string>> tensorByName, int count = 0)
    {
        var tensors = new List<CheckpointTensor>();
        var indexes = new Dictionary<string, int>(StringComparer.Ordinal);
        var names = new List<KeyValuePair<string, int>>(count);
        foreach ((string name, string tensor) in tensorByName)
        {
            if (!indexes.TryGetValue(tensor, out int index))
            {
                index = tensors.Count;
                indexes.Add(tensor, index);
                tensors.Add(checkpoint.Tensors[tensor]);
            }

            names.Add(KeyValuePair.Create(name, index));
        }

        return new TensorSelection(tensors, names);
    }

    // Every name with the name of its tensor.
    private static IEnumerable<KeyValuePair<string, string>> StateDict(Checkpoint checkpoint) =>
        checkpoint.Tensors.Keys.Select(name => KeyValuePair.Create(name, name)).Concat(checkpoint.Ties);
}
