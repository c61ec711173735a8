using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using TypedWeights.Generators.Diagnostics;
using TypedWeights.Generators.Model;
using TypedWeights.Generators.Naming;
using TypedWeights.Sources;

namespace TypedWeights.Generators.Parsing;

/// <summary>From the declaration of a class to what the generator keeps of it.</summary>
internal static class ClassParser
{
    // A file name may have 255 bytes, and a path on Windows 260 characters, of which the folders of the compiler take about 110.
    private const int MostHintBytes = 50;
    private const string PlacementAttribute = "TypedWeights.PlaceWeightsAttribute";

    /// <returns>Null if another part of the class is parsed instead, or the compiler reports an error.</returns>
    public static ClassCandidate? Parse(GeneratorAttributeSyntaxContext context, CancellationToken cancellationToken)
    {
        var type = (INamedTypeSymbol)context.TargetSymbol;
        AttributeData attribute = context.Attributes[0];
        SyntaxNode? syntax = attribute.ApplicationSyntaxReference?.GetSyntax(cancellationToken);
        if (syntax is null || attribute.ConstructorArguments.Length != 1 || !IsFirst(type, attribute))
        {
            return null;
        }

        Location location = syntax.GetLocation();
        List<Problem> problems = [.. ClassRules.Check(type, cancellationToken)];
        string? source = attribute.ConstructorArguments[0].Value as string;
        if (!WeightUri.TryParse(source, out WeightUri? uri, out string error)
            && !problems.Exists(static problem => problem.Id == Descriptors.UnsupportedClass.Id))
        {
            problems.Add(Problem.Of(Descriptors.InvalidSource, type.Name, error));
        }

        if (problems.Count > 0)
        {
            return new ClassCandidate(null, new(problems), location, []);
        }

        List<AttributeData> placements = [.. type.GetAttributes().Where(IsPlacement)];
        ClassSpec spec = Spec(type, uri!.Display) with { Placements = new(placements.Select(Placement)) };
        return new ClassCandidate(
            spec,
            default,
            location,
            [.. placements.Select(placement => placement.ApplicationSyntaxReference?.GetSyntax(cancellationToken).GetLocation() ?? location)]);
    }

    private static bool IsPlacement(AttributeData attribute) =>
        attribute.ConstructorArguments.Length == 2 && attribute.AttributeClass?.ToDisplayString() == PlacementAttribute;

    private static PlacementSpec Placement(AttributeData attribute) => new(
        attribute.ConstructorArguments[0].Value as string ?? "", attribute.ConstructorArguments[1].Value as string ?? "");

    // With the attribute on two parts, which is another error, both would write the same file.
    private static bool IsFirst(INamedTypeSymbol type, AttributeData attribute)
    {
        AttributeData? first = type.GetAttributes().FirstOrDefault(
            other => SymbolEqualityComparer.Default.Equals(other.AttributeClass, attribute.AttributeClass));
        return first?.ApplicationSyntaxReference is { } there && attribute.ApplicationSyntaxReference is { } here
            && there.SyntaxTree == here.SyntaxTree && there.Span == here.Span;
    }

    private static ClassSpec Spec(INamedTypeSymbol type, string source)
    {
        var containers = new List<ContainerSpec>();
        for (INamedTypeSymbol? outer = type.ContainingType; outer is not null; outer = outer.ContainingType)
        {
            containers.Insert(0, new ContainerSpec(Keyword(outer), Identifiers.Written(outer.Name)));
        }

        var namespaces = new List<string>();
        for (INamespaceSymbol? space = type.ContainingNamespace; space is { IsGlobalNamespace: false }; space = space.ContainingNamespace)
        {
            namespaces.Insert(0, Identifiers.Written(space.Name));
        }

        return new ClassSpec(
            string.Join(".", namespaces), new(containers), type.Name, HintName(type), source, new(Members(type)));
    }

    private static string Keyword(INamedTypeSymbol type) => type switch
    {
        { TypeKind: TypeKind.Interface } => "interface",
        { IsRecord: true, TypeKind: TypeKind.Struct } => "record struct",
        { IsRecord: true } => "record",
        { TypeKind: TypeKind.Struct } => "struct",
        _ => "class",
    };

    private static IEnumerable<string> Members(INamedTypeSymbol type)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (INamedTypeSymbol? at = type; at is { SpecialType: not SpecialType.System_Object }; at = at.BaseType)
        {
            bool isOwn = SymbolEqualityComparer.Default.Equals(at, type);
            names.UnionWith(at.GetMembers()
                .Where(member => !member.IsImplicitlyDeclared && (isOwn || member.DeclaredAccessibility != Accessibility.Private))
                .Select(static member => member is IPropertySymbol { IsIndexer: true } ? member.MetadataName : member.Name)
                .Where(SyntaxFacts.IsValidIdentifier));
        }

        return names.OrderBy(static name => name, StringComparer.Ordinal);
    }

    // The hash distinguishes Model from model, whose files would be the same on a disk that ignores case.
    private static string HintName(INamedTypeSymbol type)
    {
        string name = type.ToDisplayString(SymbolDisplayFormat.CSharpErrorMessageFormat).Replace("@", "");
        string readable = name;
        if (Encoding.UTF8.GetByteCount(name) > MostHintBytes)
        {
            // The end, which distinguishes classes, as far as it fits.
            int start = name.Length;
            for (int bytes = 0; bytes <= MostHintBytes; bytes += Encoding.UTF8.GetByteCount(name.ToCharArray(start, 1)))
            {
                start--;
            }

            readable = name.Substring(start + 1);
        }

        return $"{readable}.{StableHash.Suffix(name)}.g.cs";
    }
}
