using TypedWeights.Generators.Naming;

namespace TypedWeights.Generators.Tree;

/// <summary>
/// Gives each class its name: the common part of the names under which it occurs. If another class would have the same name, both try the
/// next kind of name: all names together, then those of the enclosing classes, a shape, at last a hash of their form. No name depends on an order.
/// </summary>
internal sealed class TypeNames
{
    private readonly SchemaGraph _graph;
    private readonly ISet<string> _reserved;
    private readonly Dictionary<int, Dictionary<string, string>> _members;
    private readonly CancellationToken _cancellationToken;

    /// <param name="graph">The classes and where each occurs.</param>
    /// <param name="members">The properties of each class by its form's number: a member must not have the name of its class.</param>
    /// <param name="reserved">Full type names that no class may have.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public TypeNames(
        SchemaGraph graph, Dictionary<int, Dictionary<string, string>> members, ISet<string> reserved, CancellationToken cancellationToken)
    {
        _graph = graph;
        _members = members;
        _reserved = reserved;
        _cancellationToken = cancellationToken;
    }

    /// <summary>The name of each class but the root, without <c>Weights</c> and <c>Paths</c>, by its form's number.</summary>
    public Dictionary<int, string> Choose()
    {
        var chosen = new Dictionary<int, string>();
        var taken = new HashSet<string>(StringComparer.Ordinal);
        var open = new Dictionary<int, IEnumerator<string>>();
        foreach (GroupSchema group in _graph.Groups.Skip(1))
        {
            open.Add(group.Id, Candidates(group).GetEnumerator());
        }

        while (open.Count > 0)
        {
            _cancellationToken.ThrowIfCancellationRequested();
            var round = new List<(int Id, string Name)>();
            foreach (KeyValuePair<int, IEnumerator<string>> group in open)
            {
                if (!group.Value.MoveNext())
                {
                    throw new InvalidOperationException("two classes have the same hash");
                }

                round.Add((group.Key, group.Value.Current));
            }

            foreach (IGrouping<string, (int Id, string Name)> same in round.GroupBy(static pair => pair.Name, StringComparer.Ordinal))
            {
                (int Id, string Name)[] classes = [.. same];
                if (classes.Length == 1 && !taken.Contains(same.Key) && !IsReserved(classes[0].Id, same.Key))
                {
                    chosen.Add(classes[0].Id, same.Key);
                    open.Remove(classes[0].Id);
                }
            }

            taken.UnionWith(round.Where(pair => chosen.ContainsKey(pair.Id)).Select(static pair => pair.Name));
        }

        return chosen;
    }

    private bool IsReserved(int id, string name) =>
        IsTaken(id, name + "Weights") || IsTaken(id, name + "Paths");

    private bool IsTaken(int id, string type) => _reserved.Contains(type) || _members[id].ContainsValue(type);

    private IEnumerable<string> Candidates(GroupSchema group)
    {
        IReadOnlyList<string[]> own = _graph.OwnNames(group.Id);
        string? agreed = CommonName.Agreed(own);
        if (agreed is not null)
        {
            yield return Identifiers.Shortened(agreed);
        }

        string? together = CommonName.Together(own);
        if (together is not null)
        {
            yield return Identifiers.Shortened(together);
        }

        string name = agreed ?? together ?? CommonName.Shortest(own);
        yield return Identifiers.Shortened(name);
        string enclosed = name;
        foreach (IReadOnlyList<string[]> enclosing in _graph.Enclosing(group.Id))
        {
            if (CommonName.Agreed(enclosing) is { } prefix)
            {
                enclosed = prefix + enclosed;
                yield return Identifiers.Shortened(enclosed);
            }
        }

        name = Identifiers.Shortened(name);
        if (enclosed == name)
        {
            // Without an enclosing class it may keep the plain name; those with one have taken the next kind of name.
            yield return name;
        }

        if (ShapeOf(group) is { } shape)
        {
            yield return name + shape;
        }

        ulong hash = _graph.StableHashOf(group.Id);
        yield return name + "_" + StableHash.Suffix(hash);
        yield return name + "_" + StableHash.LongSuffix(hash);
    }

    // 4096x1024, of the first tensor that has one shape; a scalar distinguishes nothing.
    private static string? ShapeOf(GroupSchema group)
    {
        TensorSchema? tensor = group.Members.Select(static member => member.Schema).OfType<TensorSchema>()
            .FirstOrDefault(static tensor => tensor.Variants.Count == 1 && tensor.Variants[0].Shape.Rank > 0);
        return tensor?.Variants[0].Shape.ToString().Trim('[', ']').Replace(", ", "x");
    }
}
