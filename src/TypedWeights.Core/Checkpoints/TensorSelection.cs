using TypedWeights.Errors;

namespace TypedWeights.Checkpoints;

/// <summary>Which of a checkpoint's tensors are read, and under which names they are then found.</summary>
/// <param name="Tensors">The tensors to read, each once.</param>
/// <param name="Names">Every name with the index of its tensor in <paramref name="Tensors"/>; tied names share one.</param>
internal sealed record TensorSelection(IReadOnlyList<CheckpointTensor> Tensors, IReadOnlyList<KeyValuePair<string, int>> Names)
{
    private const int NamesInMessage = 3;

    /// <summary>Everything that a checkpoint holds, tied names included: the state dict.</summary>
    public static TensorSelection All(Checkpoint checkpoint)
    {
        if (checkpoint.Ties.Count > 0)
        {
            return Of(checkpoint, StateDict(checkpoint), checkpoint.Tensors.Count + checkpoint.Ties.Count);
        }

        IReadOnlyList<CheckpointTensor> tensors = TensorsOf(checkpoint);
        return new TensorSelection(
            tensors,
            new ProjectedList<CheckpointTensor, KeyValuePair<string, int>>(
                tensors, static (tensor, index) => KeyValuePair.Create(tensor.Info.Name, index)));
    }

    /// <summary>Every tensor of a checkpoint once; of a checkpoint of one file without a copy of the list.</summary>
    public static IReadOnlyList<CheckpointTensor> TensorsOf(Checkpoint checkpoint) => checkpoint.Files.Count == 1
        ? new ProjectedList<TensorInfo, CheckpointTensor>(checkpoint.Files[0].Header.Tensors, static (info, _) => new CheckpointTensor(0, info))
        : [.. checkpoint.Tensors.Values];

    /// <summary>What a filter takes of the state dict. A tied name that it takes brings its tensor, under that name alone.</summary>
    /// <exception cref="WeightsException">It takes nothing of a checkpoint that has something: a wrong prefix, most likely.</exception>
    public static TensorSelection Matching(Checkpoint checkpoint, Func<string, bool> filter)
    {
        TensorSelection selection = Of(checkpoint, StateDict(checkpoint).Where(pair => filter(pair.Key)));
        int count = checkpoint.Tensors.Count + checkpoint.Ties.Count;
        if (selection.Names.Count == 0 && count > 0)
        {
            IEnumerable<string> some = StateDict(checkpoint).Take(NamesInMessage).Select(pair => Printable.Name(pair.Key));
            throw new WeightsException(
                $"{checkpoint.Uri.Display}: the filter takes "
                    + (count == 1 ? "nothing: the only tensor is named " : $"none of the {count} tensors; they are named ")
                    + string.Join(", ", some)
                    + (count > NamesInMessage ? " and so on." : "."));
        }

        return selection;
    }

    /// <summary>Some names, each with the tensor of the checkpoint that it stands for.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="tensorByName">The names.</param>
    /// <param name="count">How many there are, where that is known: a list that grows takes twice the memory.</param>
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

    // Every name with the tensor that it stands for.
    private static IEnumerable<KeyValuePair<string, string>> StateDict(Checkpoint checkpoint) =>
        checkpoint.Tensors.Keys.Select(name => KeyValuePair.Create(name, name)).Concat(checkpoint.Ties);
}
