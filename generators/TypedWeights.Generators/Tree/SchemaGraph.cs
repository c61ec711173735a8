using TypedWeights.Generators.Naming;

namespace TypedWeights.Generators.Tree;

/// <summary>The classes that can be reached from a root, and where each occurs.</summary>
internal sealed class SchemaGraph
{
    private readonly Dictionary<int, GroupSchema> _byId = [];
    private readonly Dictionary<int, List<(GroupSchema Parent, SchemaMember Member, bool IsItem)>> _places = [];
    private readonly Dictionary<int, IReadOnlyList<string[]>> _ownNames = [];
    private readonly Dictionary<int, ulong> _hashes = [];
    private readonly List<GroupSchema> _groups = [];

    public SchemaGraph(GroupSchema root)
    {
        Root = root;
        Visit(root);
    }

    public GroupSchema Root { get; }

    /// <summary>Every class once, the root first, then in the order in which a reader meets them.</summary>
    public IReadOnlyList<GroupSchema> Groups => _groups;

    /// <summary>The names, as words, that a class has in its parents: all different, in ordinal order.</summary>
    public IReadOnlyList<string[]> OwnNames(int id)
    {
        if (_ownNames.TryGetValue(id, out IReadOnlyList<string[]>? names))
        {
            return names;
        }

        names = Distinct(_places[id].SelectMany(place => NamesAt(place.Parent, place.Member, place.IsItem)));
        _ownNames.Add(id, names);
        return names;
    }

    /// <summary>The names of the classes around a class, nearest first; ends where the root is among them.</summary>
    public IEnumerable<IReadOnlyList<string[]>> Enclosing(int id)
    {
        HashSet<int> level = [id];
        while (true)
        {
            level = [.. level.SelectMany(inner => _places[inner]).Select(static place => place.Parent.Id)];
            if (level.Contains(Root.Id))
            {
                yield break;
            }

            yield return Distinct(level.SelectMany(OwnNames));
        }
    }

    /// <summary>A hash of a class's form: its names, dtypes, shapes and children, in no order of making.</summary>
    public ulong StableHashOf(int id) => Hash(_byId[id]);

    private void Visit(GroupSchema group)
    {
        _byId.Add(group.Id, group);
        _places.Add(group.Id, []);
        _groups.Add(group);
        foreach (SchemaMember member in group.Members)
        {
            Schema held = member.Schema;
            bool isItem = false;
            while (held is ListSchema list)
            {
                held = list.Item;
                isItem = true;
            }

            if (held is not GroupSchema child)
            {
                continue;
            }

            if (!_byId.ContainsKey(child.Id))
            {
                Visit(child);
            }

            _places[child.Id].Add((group, member, isItem));
        }
    }

    private IEnumerable<string[]> NamesAt(GroupSchema parent, SchemaMember member, bool isItem)
    {
        if (member.Kind == MemberKind.Items)
        {
            return parent == Root ? [["Item"]] : OwnNames(parent.Id).Select(Identifiers.Singular);
        }

        string[] words = Identifiers.Words(member.Segment);
        return [isItem ? Identifiers.Singular(words) : words];
    }

    private ulong Hash(Schema schema)
    {
        if (_hashes.TryGetValue(schema.Id, out ulong hash))
        {
            return hash;
        }

        hash = StableHash.Seed;
        switch (schema)
        {
            case TensorSchema tensor:
                hash = tensor.Variants.Aggregate(
                    hash, static (sum, variant) => StableHash.Add(sum, variant.DType.Name() + variant.Shape.ToString()));
                break;
            case ListSchema list:
                hash = StableHash.Add(hash, list.IsDense + "|" + list.Varies + "|" + string.Join(",", list.Numbers));
                hash = StableHash.Add(hash, StableHash.LongSuffix(Hash(list.Item)));
                break;
            case GroupSchema group:
                foreach (SchemaMember member in group.Members)
                {
                    hash = StableHash.Add(hash, member.Kind + "|" + member.IsOptional);
                    hash = StableHash.Add(hash, member.Segment);
                    hash = StableHash.Add(hash, StableHash.LongSuffix(Hash(member.Schema)));
                }

                break;
        }

        _hashes.Add(schema.Id, hash);
        return hash;
    }

    private static List<string[]> Distinct(IEnumerable<string[]> names) =>
    [
        .. names.GroupBy(static words => string.Join(" ", words), StringComparer.Ordinal)
            .OrderBy(static same => same.Key, StringComparer.Ordinal)
            .Select(static same => same.First()),
    ];
}
