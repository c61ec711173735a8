using TypedWeights.Generators.Model;

namespace TypedWeights.Generators.Emit;

/// <summary>Writes the classes of one tree and their members.</summary>
internal sealed class GroupEmitter(SourceWriter writer, TreeSide side)
{
    private static readonly Version Version = typeof(GroupEmitter).Assembly.GetName().Version;

    public static string Attribute { get; } =
        $"[global::System.CodeDom.Compiler.GeneratedCode(\"TypedWeights.Generators\", \"{Version}\")]";

    /// <summary>A nested class with its properties and its constructor.</summary>
    public void Class(GroupSpec group, string name, string summary)
    {
        Documentation.Write(writer, summary, []);
        writer.Line(Attribute);
        writer.Open($"public sealed class {name}" + (side.IsWeights ? " : global::TypedWeights.Binding.WeightGroup" : ""));
        writer.Open($"internal {name}({side.Scope} scope)" + (side.IsWeights ? " : base(scope)" : ""));
        Assignments(group);
        writer.Close();
        Properties(group, isUserClass: false);
        writer.Close();
    }

    /// <summary>Assigns every member, of the variable <c>scope</c>. Once: reading a property is then reading a field.</summary>
    public void Assignments(GroupSpec group)
    {
        foreach (MemberSpec member in group.Members)
        {
            writer.Line($"{(IsEntry(member) ? Field(member) : member.Name)} = {side.Bind(member)};");
        }
    }

    public void Properties(GroupSpec group, bool isUserClass)
    {
        foreach (MemberSpec member in group.Members)
        {
            writer.Line();
            if (IsEntry(member))
            {
                string mark = member.IsOptional ? "?" : "";
                writer.Line($"private readonly global::TypedWeights.WeightEntry{mark} {Field(member)};");
                writer.Line();
            }

            Documentation.Write(writer, member.Summary, member.Remarks);
            if (isUserClass)
            {
                writer.Line(Attribute);
            }

            writer.Line(IsEntry(member)
                ? $"public {side.TypeName(member)} {member.Name} => {Field(member)}{(member.IsOptional ? "?" : "")}.Tensor;"
                : $"public {side.TypeName(member)} {member.Name} {{ get; }}");
        }
    }

    // A tensor is reached through its entry, which knows when it has been disposed or handed over.
    private bool IsEntry(MemberSpec member) => side.IsWeights && member.Type is TensorType;

    // No property starts with two underscores.
    private static string Field(MemberSpec member) => "__" + member.Name;
}
