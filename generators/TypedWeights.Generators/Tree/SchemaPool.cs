using System.Globalization;
using System.Text;
using TypedWeights.Manifests;

namespace TypedWeights.Generators.Tree;

/// <summary>
/// Finds the form of a tree, each form once, so that equal subtrees share a class. Items of a list that differ are merged into
/// one form, in which what some of them lack is optional.
/// </summary>
/// <remarks>Recursion is bounded by the depth of <see cref="WeightNode"/>.</remarks>
internal sealed class SchemaPool(CancellationToken cancellationToken)
{
    // Lists of lists become nested lambdas, for which the time of the compiler doubles with each level; no model has more than two levels.
    private const int MostListLevels = 3;

    private readonly Dictionary<string, Schema> _byKey = new(StringComparer.Ordinal);
    private readonly Dictionary<(DType, TensorShape), TensorSchema> _tensors = [];

    /// <summary>The form of a whole tree, which is a group whatever it holds.</summary>
    public GroupSchema OfRoot(WeightNode root) => AsGroup(OfGroup(root));

    private Schema Of(WeightNode node)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (node.Words.Count > 0 || (node.Tensor is not null && node.Numbers.Count > 0))
        {
            return OfGroup(node);
        }

        return node.Tensor is { } tensor ? OfTensor(tensor) : OfList(node);
    }

    private GroupSchema OfGroup(WeightNode node)
    {
        var members = new List<SchemaMember>(node.Words.Count + 2);
        if (node.Tensor is { } tensor)
        {
            members.Add(new SchemaMember(MemberKind.Value, "", OfTensor(tensor), IsOptional: false));
        }

        members.AddRange(node.Words.Select(word => new SchemaMember(MemberKind.Word, word.Key, Of(word.Value), IsOptional: false)));
        if (node.Numbers.Count > 0)
        {
            members.Add(new SchemaMember(MemberKind.Items, "", OfList(node), IsOptional: false));
        }

        return Group(members);
    }

    private TensorSchema OfTensor(WeightTensor tensor)
    {
        (DType, TensorShape) kind = (tensor.DType, tensor.Shape);
        if (!_tensors.TryGetValue(kind, out TensorSchema? schema))
        {
            schema = Tensor([kind]);
            _tensors.Add(kind, schema);
        }

        return schema;
    }

    private ListSchema OfList(WeightNode node)
    {
        int[] numbers = [.. node.Numbers.Keys];
        Schema item = Merge([.. node.Numbers.Values.Select(Of)]);
        return List(numbers, isDense: numbers[numbers.Length - 1] == numbers.Length - 1, varies: false, item);
    }

    private Schema Merge(List<Schema> all)
    {
        var seen = new HashSet<int>();
        List<Schema> forms = [.. all.Where(form => seen.Add(form.Id))];
        if (forms.Count == 1)
        {
            return forms[0];
        }

        if (forms.TrueForAll(static form => form is TensorSchema))
        {
            return Tensor([.. forms.Cast<TensorSchema>().SelectMany(static tensor => tensor.Variants)]);
        }

        return forms.TrueForAll(static form => form is ListSchema)
            ? MergeLists([.. forms.Cast<ListSchema>()])
            : MergeGroups([.. forms.Select(AsGroup)]);
    }

    private ListSchema MergeLists(List<ListSchema> lists)
    {
        int[] numbers = [.. lists.SelectMany(static list => list.Numbers).Distinct().OrderBy(static number => number)];
        bool varies = lists.Exists(list => list.Varies || list.Numbers.Length != numbers.Length);
        return List(numbers, lists.TrueForAll(static list => list.IsDense), varies, Merge([.. lists.Select(static list => list.Item)]));
    }

    private GroupSchema MergeGroups(List<GroupSchema> groups)
    {
        var byPlace = new Dictionary<(MemberKind Kind, string Segment), List<SchemaMember>>();
        foreach (SchemaMember member in groups.SelectMany(static group => group.Members))
        {
            cancellationToken.ThrowIfCancellationRequested();
            (MemberKind, string) place = (member.Kind, member.Segment);
            if (!byPlace.TryGetValue(place, out List<SchemaMember>? same))
            {
                byPlace.Add(place, same = []);
            }

            same.Add(member);
        }

        return Group(
        [
            .. byPlace
                .OrderBy(static place => place.Key.Kind)
                .ThenBy(static place => place.Key.Segment, StringComparer.Ordinal)
                .Select(place => new SchemaMember(
                    place.Key.Kind,
                    place.Key.Segment,
                    Merge([.. place.Value.Select(static member => member.Schema)]),
                    place.Value.Count < groups.Count || place.Value.Exists(static member => member.IsOptional))),
        ]);
    }

    // A tensor or a list among groups is a group that has only its own tensor or only numbers.
    private GroupSchema AsGroup(Schema schema) => schema switch
    {
        GroupSchema group => group,
        TensorSchema => Group([new SchemaMember(MemberKind.Value, "", schema, IsOptional: false)]),
        _ => Group([new SchemaMember(MemberKind.Items, "", schema, IsOptional: false)]),
    };

    private TensorSchema Tensor(List<(DType DType, TensorShape Shape)> variants)
    {
        List<(DType DType, TensorShape Shape)> sorted = [.. variants.Distinct().OrderBy(Text, StringComparer.Ordinal)];
        return Pooled("T" + string.Join(";", sorted.Select(Text)), id => new TensorSchema(id, sorted));
    }

    private ListSchema List(int[] numbers, bool isDense, bool varies, Schema item)
    {
        // A sparse list is a dictionary of groups: tensors in one are groups with a value.
        Schema held = (!isDense && item is TensorSchema) || Levels(item) == MostListLevels ? AsGroup(item) : item;
        string key = string.Format(
            CultureInfo.InvariantCulture, "L{0}{1}{2}:{3}", isDense ? 'd' : 's', varies ? 'v' : 'f', held.Id, NumberRuns.Text(numbers, ','));
        return Pooled(key, id => new ListSchema(id, numbers, isDense, varies, held));
    }

    private static int Levels(Schema schema) => schema is ListSchema list ? Levels(list.Item) + 1 : 0;

    private GroupSchema Group(List<SchemaMember> members)
    {
        var key = new StringBuilder("G");
        foreach (SchemaMember member in members)
        {
            // The length keeps a segment from being read as what follows it.
            key.Append((int)member.Kind).Append(member.IsOptional ? '?' : '!').Append(member.Schema.Id)
                .Append(':').Append(member.Segment.Length).Append(':').Append(member.Segment);
        }

        return Pooled(key.ToString(), id => new GroupSchema(id, members));
    }

    private T Pooled<T>(string key, Func<int, T> make)
        where T : Schema
    {
        if (!_byKey.TryGetValue(key, out Schema? schema))
        {
            schema = make(_byKey.Count);
            _byKey.Add(key, schema);
        }

        return (T)schema;
    }

    private static string Text((DType DType, TensorShape Shape) variant) => variant.DType.Name() + " " + variant.Shape;
}
