using TypedWeights.Generators.Model;
using TypedWeights.Generators.Naming;

namespace TypedWeights.Generators.Tree;

/// <summary>Makes a property of a member: what it holds and what its documentation says.</summary>
internal sealed class MemberDescriber(
    NamesInUse names, Dictionary<int, int> indices, PlacedNames placed, CancellationToken cancellationToken)
{
    private const int MostVariants = 8;

    public MemberSpec Describe(GroupSchema group, int index, string name)
    {
        SchemaMember member = group.Members[index];
        IReadOnlyList<WeightTensor> tensors = names.TensorsOf(group.Id, index);
        string summary;
        var remarks = new List<string>();
        if (tensors.Count > 0)
        {
            summary = TensorSummary(member.Schema);
            remarks.AddRange(TensorRemarks(tensors));
            remarks.AddRange(PlacementRemarks(tensors));
        }
        else
        {
            string places = TensorText.Names(names.OfMember(group.Id, index), cancellationToken);
            summary = GroupSummary(member.Schema) + (places.Length > 0 ? ": " + places : "");
        }

        if (member.IsOptional)
        {
            remarks.Add(member.Kind == MemberKind.Items ? "Empty if there are no items." : "Null if there is none.");
        }

        return new MemberSpec(
            name, member.Kind == MemberKind.Word ? member.Segment : null, TypeOf(member.Schema), member.IsOptional, summary, new(remarks));
    }

    private TypeSpec TypeOf(Schema schema) => schema switch
    {
        TensorSchema => new TensorType(),
        GroupSchema group => new GroupType(indices[group.Id]),
        ListSchema list => new ListType(new(list.Numbers), list.IsDense, list.Varies, TypeOf(list.Item)),
        _ => throw new InvalidOperationException(),
    };

    private static string TensorSummary(Schema schema)
    {
        int lists = 0;
        while (schema is ListSchema list)
        {
            schema = list.Item;
            lists++;
        }

        string text = TensorText.Of(((TensorSchema)schema).Variants);
        return lists > 0 ? "Tensors of " + text : text;
    }

    private static string GroupSummary(Schema schema) => schema switch
    {
        ListSchema { Varies: true } => "Items by number",
        ListSchema list => TensorText.Number(list.Numbers.Length) + (list.Numbers.Length == 1 ? " item" : " items"),
        _ => "Group",
    };

    // One paragraph for each device that the class puts some of them on.
    private IEnumerable<string> PlacementRemarks(IReadOnlyList<WeightTensor> tensors)
    {
        foreach (IGrouping<string, WeightTensor> device in tensors
            .Where(tensor => placed.DeviceOf(tensor) is not null)
            .GroupBy(tensor => placed.DeviceOf(tensor)!, StringComparer.Ordinal)
            .OrderBy(static device => device.Key, StringComparer.Ordinal)
            .Take(MostVariants))
        {
            string places = device.Count() == tensors.Count
                ? ""
                : ": " + TensorText.Names(device.Select(static tensor => tensor.Name), cancellationToken);
            yield return $"On {device.Key}{places}";
        }
    }

    // One paragraph for each dtype and shape, with the names that have it; then what is tied.
    private IEnumerable<string> TensorRemarks(IReadOnlyList<WeightTensor> tensors)
    {
        List<IGrouping<string, WeightTensor>> kinds =
        [
            .. tensors.GroupBy(static tensor => TensorText.Of(tensor.DType, tensor.Shape), StringComparer.Ordinal)
                .OrderBy(static kind => kind.Key, StringComparer.Ordinal),
        ];
        foreach (IGrouping<string, WeightTensor> kind in kinds.Take(MostVariants))
        {
            string places = TensorText.Names(kind.Select(static tensor => tensor.Name), cancellationToken);
            yield return kinds.Count == 1 ? places : $"{kind.Key}: {places}";
        }

        foreach (WeightTensor tied in tensors.Where(static tensor => tensor.TiedTo is not null).Take(MostVariants))
        {
            string name = tensors.Count == 1 ? "" : TensorText.Shortened(TensorText.Printable(tied.Name)) + " is ";
            yield return $"{name}tied to {TensorText.Shortened(TensorText.Printable(tied.TiedTo!))}";
        }
    }
}
