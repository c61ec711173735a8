using TypedWeights.Generators.Diagnostics;
using TypedWeights.Generators.Model;
using TypedWeights.Generators.Naming;
using TypedWeights.Manifests;
using TypedWeights.Snapshots;

namespace TypedWeights.Generators.Tree;

/// <summary>From a class and its snapshot to what is written.</summary>
internal static class ModelBuilder
{
    private const int MostNamedRenames = 3;

    public static ModelSpec Build(ClassSpec @class, WeightSnapshot snapshot, CancellationToken cancellationToken)
    {
        string manifest = ManifestWriter.Write(snapshot, @class.Source, cancellationToken);
        WeightTensor[] weights = [.. Tensors(snapshot)];
        WeightNode root = WeightNode.Build(weights, cancellationToken);
        GroupSchema schema = new SchemaPool(cancellationToken).OfRoot(root);
        var graph = new SchemaGraph(schema);
        var names = new NamesInUse(root, schema, cancellationToken);

        var members = new Dictionary<int, Dictionary<string, string>>();
        foreach (GroupSchema group in graph.Groups)
        {
            cancellationToken.ThrowIfCancellationRequested();
            members.Add(group.Id, NameMembers(group, group == schema ? @class : null));
        }

        ISet<string> reservedTypes = ReservedTypes(@class, members[schema.Id].Values);
        Dictionary<int, string> types = new TypeNames(graph, members, reservedTypes, cancellationToken).Choose();
        var indices = new Dictionary<int, int>();
        foreach (GroupSchema group in graph.Groups)
        {
            indices.Add(group.Id, indices.Count);
        }

        var placed = new PlacedNames(@class, weights, cancellationToken);
        var describer = new MemberDescriber(names, indices, placed, cancellationToken);
        IEnumerable<GroupSpec> groups = graph.Groups.Select(group => new GroupSpec(
            group == schema ? "" : types[group.Id],
            group == schema ? default : new([TensorText.Names(names.OfGroup(group.Id), cancellationToken)]),
            new(group.Members.Select((member, index) => describer.Describe(group, index, NameOf(member, members[group.Id]))))));

        // The members of the class are no longer needed: adding one must not write the file again.
        ClassSpec written = @class with { Members = default, Placements = placed.Problems.Count == 0 ? @class.Placements : default };
        return new ModelSpec(
            written, manifest, snapshot.Tensors.Count, new(groups), new(Problems(@class, graph, members).Concat(placed.Problems)));
    }

    private static IEnumerable<WeightTensor> Tensors(WeightSnapshot snapshot)
    {
        var byName = snapshot.Tensors.ToDictionary(static tensor => tensor.Name, StringComparer.Ordinal);
        IEnumerable<WeightTensor> tensors = snapshot.Tensors
            .Select(static tensor => new WeightTensor(tensor.Name, tensor.DType, tensor.Shape, TiedTo: null));
        IEnumerable<WeightTensor> tied = TiedNames.Of(snapshot)
            .Select(tie => new WeightTensor(tie.Key, byName[tie.Value].DType, byName[tie.Value].Shape, tie.Value));

        // In ordinal order and not in that of the file, so that an edited snapshot makes the same class.
        return tensors.Concat(tied).OrderBy(static tensor => tensor.Name, StringComparer.Ordinal);
    }

    private static Dictionary<string, string> NameMembers(GroupSchema group, ClassSpec? root)
    {
        var reserved = new HashSet<string>(MemberNames.OfEveryClass, StringComparer.Ordinal);
        if (root is not null)
        {
            reserved.UnionWith(MemberNames.OfTheRoot);
            reserved.UnionWith(root.Members);
            reserved.Add(root.Name);
        }

        foreach (SchemaMember member in group.Members.Where(static member => member.Kind != MemberKind.Word))
        {
            reserved.Add(NameOf(member, []));
        }

        IEnumerable<SchemaMember> words = group.Members.Where(static member => member.Kind == MemberKind.Word);
        return MemberNames.Of(words.Select(static member => member.Segment), reserved);
    }

    private static string NameOf(SchemaMember member, Dictionary<string, string> words) => member.Kind switch
    {
        MemberKind.Value => MemberNames.Value,
        MemberKind.Items => MemberNames.Items,
        _ => words[member.Segment],
    };

    private static HashSet<string> ReservedTypes(ClassSpec @class, IEnumerable<string> rootMembers)
    {
        var reserved = new HashSet<string>(MemberNames.OfTheRoot, StringComparer.Ordinal) { @class.Name };
        reserved.UnionWith(@class.Members);
        reserved.UnionWith(rootMembers);
        return reserved;
    }

    private static IEnumerable<Problem> Problems(
        ClassSpec @class, SchemaGraph graph, Dictionary<int, Dictionary<string, string>> members)
    {
        var user = new HashSet<string>(@class.Members, StringComparer.Ordinal);
        foreach (KeyValuePair<string, string> member in members[graph.Root.Id])
        {
            string plain = Identifiers.Pascal(member.Key);
            if (member.Value != plain && user.Contains(plain))
            {
                yield return Problem.Of(
                    Descriptors.UserMember, @class.Name, plain, TensorText.Shortened(TensorText.Printable(member.Key)), member.Value);
            }
        }

        List<string> renamed =
        [
            .. graph.Groups.SelectMany(group => members[group.Id])
                .Where(static member => member.Value != Identifiers.Pascal(member.Key))
                .Select(static member => $"'{TensorText.Shortened(TensorText.Printable(member.Key))}' is {member.Value}")
                .Distinct(StringComparer.Ordinal),
        ];
        if (renamed.Count > 0)
        {
            string shown = string.Join(", ", renamed.Take(MostNamedRenames)) + (renamed.Count > MostNamedRenames ? ", …" : "");
            yield return Problem.Of(Descriptors.RenamedMembers, @class.Name, TensorText.Number(renamed.Count), shown);
        }
    }
}
