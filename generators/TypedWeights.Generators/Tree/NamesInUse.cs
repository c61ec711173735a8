namespace TypedWeights.Generators.Tree;

/// <summary>The raw names of each class and of each of its members, found by walking a tree together with its form.</summary>
internal sealed class NamesInUse
{
    private readonly Dictionary<int, List<string>> _groups = [];
    private readonly Dictionary<(int Group, int Member), List<string>> _members = [];
    private readonly Dictionary<(int Group, int Member), List<WeightTensor>> _tensors = [];
    private readonly CancellationToken _cancellationToken;

    public NamesInUse(WeightNode root, GroupSchema schema, CancellationToken cancellationToken)
    {
        _cancellationToken = cancellationToken;
        WalkGroup(root, schema);
    }

    /// <summary>The names of the groups of a class.</summary>
    public IReadOnlyList<string> OfGroup(int group) => Found(_groups, group);

    /// <summary>The names of the groups or lists of a property.</summary>
    public IReadOnlyList<string> OfMember(int group, int member) => Found(_members, (group, member));

    /// <summary>The tensors of a property.</summary>
    public IReadOnlyList<WeightTensor> TensorsOf(int group, int member) => Found(_tensors, (group, member));

    private void WalkGroup(WeightNode node, GroupSchema schema)
    {
        _cancellationToken.ThrowIfCancellationRequested();
        Add(_groups, schema.Id, node.Name);
        for (int i = 0; i < schema.Members.Count; i++)
        {
            SchemaMember member = schema.Members[i];
            (int, int) place = (schema.Id, i);
            switch (member.Kind)
            {
                case MemberKind.Value when node.Tensor is { } tensor:
                    Add(_tensors, place, tensor);
                    break;
                case MemberKind.Items when node.Numbers.Count > 0:
                    Walk(node, member.Schema, place, isMember: true);
                    break;
                case MemberKind.Word when node.Words.TryGetValue(member.Segment, out WeightNode? child):
                    Walk(child, member.Schema, place, isMember: true);
                    break;
            }
        }
    }

    private void Walk(WeightNode node, Schema schema, (int, int) place, bool isMember)
    {
        if (isMember && schema is not TensorSchema)
        {
            Add(_members, place, node.Name);
        }

        switch (schema)
        {
            case TensorSchema:
                Add(_tensors, place, node.Tensor!);
                break;
            case GroupSchema group:
                WalkGroup(node, group);
                break;
            case ListSchema list:
                foreach (WeightNode item in node.Numbers.Values)
                {
                    Walk(item, list.Item, place, isMember: false);
                }

                break;
        }
    }

    private static void Add<TKey, T>(Dictionary<TKey, List<T>> lists, TKey key, T item)
        where TKey : notnull
    {
        if (!lists.TryGetValue(key, out List<T>? list))
        {
            lists.Add(key, list = []);
        }

        list.Add(item);
    }

    private static List<T> Found<TKey, T>(Dictionary<TKey, List<T>> lists, TKey key)
        where TKey : notnull => lists.TryGetValue(key, out List<T>? list) ? list : [];
}
