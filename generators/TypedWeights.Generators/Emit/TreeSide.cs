using TypedWeights.Generators.Model;
using TypedWeights.Generators.Naming;

namespace TypedWeights.Generators.Emit;

/// <summary>What differs between the two trees of a model: that of the tensors, and that of their paths.</summary>
internal sealed class TreeSide
{
    public const string Tensor = "global::TorchSharp.torch.Tensor";

    private readonly ModelSpec _model;
    private readonly bool _isWeights;

    public TreeSide(ModelSpec model, bool isWeights)
    {
        _model = model;
        _isWeights = isWeights;
    }

    public bool IsWeights => _isWeights;

    /// <summary>The type that constructors take.</summary>
    public string Scope => _isWeights ? "global::TypedWeights.Binding.WeightScope" : "global::TypedWeights.Binding.PathScope";

    public string ClassName(GroupSpec group) => group.Name + (_isWeights ? "Weights" : "Paths");

    public string TypeName(TypeSpec type) => type switch
    {
        TensorType => _isWeights ? Tensor : "global::TypedWeights.WeightPath",
        GroupType group => $"{_model.Class.FullName}.{ClassName(_model.Groups[group.Index])}",
        ListType { IsDense: true, Item: TensorType } when _isWeights => "global::TypedWeights.TensorList",
        ListType { IsDense: true } list => $"global::TypedWeights.WeightList<{TypeName(list.Item)}>",
        ListType list => $"global::TypedWeights.SparseWeightList<{TypeName(list.Item)}>",
        _ => throw new InvalidOperationException(),
    };

    /// <summary>A property's type, with its question mark.</summary>
    public string TypeName(MemberSpec member) => TypeName(member.Type) + (IsNullable(member) ? "?" : "");

    /// <summary>What a constructor assigns to a member, of its parameter <c>scope</c>.</summary>
    public string Bind(MemberSpec member)
    {
        string segment = Literals.String(member.Segment);
        switch (member.Type)
        {
            case TensorType:
                return member.IsOptional ? $"scope.OptionalTensor({segment})" : $"scope.Tensor({segment})";
            case GroupType group:
                string made = $"new {TypeName(group)}(scope.Group({segment}))";
                string isThere = $"scope.HasGroup({segment})"
                    + (_model.Groups[group.Index].HasValue ? $" || scope.OptionalTensor({segment}) is not null" : "");
                return member.IsOptional ? $"{isThere} ? {made} : null" : made;
            case ListType list:
                string bound = Bind(list, "scope", segment, list.Varies || (member.IsOptional && member.Segment is null), 0);
                return IsNullable(member) ? $"scope.HasGroup({segment}) ? {bound} : null" : bound;
            default:
                throw new InvalidOperationException();
        }
    }

    // Numbers that some groups lack are an empty list, so that a loop over them needs no null check.
    private static bool IsNullable(MemberSpec member) => member.IsOptional && !(member.Type is ListType && member.Segment is null);

    private string Bind(ListType list, string scope, string segment, bool isCounted, int depth)
    {
        string item = "item" + (depth == 0 ? "" : TensorText.Number(depth));
        string numbers = string.Join(", ", list.Numbers.Select(TensorText.Number));
        string count = TensorText.Number(list.Numbers.Count);
        string dense = isCounted ? $"{scope}.CountItems({segment}, {count})" : count;
        if (list is { IsDense: true, Item: TensorType })
        {
            return $"{scope}.TensorList({segment}, {dense})";
        }

        string bound = list.Item switch
        {
            ListType inner => Bind(inner, item, "null", inner.Varies, depth + 1),
            GroupType group => $"new {TypeName(group)}({item})",
            _ => throw new InvalidOperationException(),
        };
        string sparse = isCounted ? $"{scope}.PresentItems({segment}, {numbers})" : $"new int[] {{ {numbers} }}";
        return list.IsDense
            ? $"{scope}.List({segment}, {dense}, static {item} => {bound})"
            : $"{scope}.Sparse({segment}, {sparse}, static {item} => {bound})";
    }
}
