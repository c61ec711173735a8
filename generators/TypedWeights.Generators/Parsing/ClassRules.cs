using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using TypedWeights.Generators.Diagnostics;
using TypedWeights.Generators.Model;

namespace TypedWeights.Generators.Parsing;

/// <summary>Which classes can hold weights.</summary>
internal static class ClassRules
{
    // Overloads of the generated methods are allowed; other members with these names are not.
    private static readonly string[] Methods = ["BeginLoadAsync", "Detach", "LoadAsync", "SaveAsync", "WhenReadyAsync"];
    private static readonly string[] Others = ["OnBound", "Paths", "RootPaths", "Weights"];

    public static IEnumerable<Problem> Check(INamedTypeSymbol type, CancellationToken cancellationToken)
    {
        string? reason = Reason(type, cancellationToken);
        if (reason is not null)
        {
            yield return Problem.Of(Descriptors.UnsupportedClass, type.Name, reason);
            yield break;
        }

        for (INamedTypeSymbol? at = type; at is not null; at = at.ContainingType)
        {
            if (!IsPartial(at, cancellationToken))
            {
                yield return Problem.Of(Descriptors.NotPartial, at.Name, type.Name);
            }
        }
    }

    private static string? Reason(INamedTypeSymbol type, CancellationToken cancellationToken)
    {
        if (type.TypeKind != TypeKind.Class)
        {
            string kind = type.TypeKind == TypeKind.Interface ? "an interface" : type.IsRecord ? "a record struct" : "a struct";
            return $"it is {kind}, and weights need one owner that can be disposed; make it a class";
        }

        if (type.IsRecord)
        {
            return "it is a record, which compares by value; make it a class";
        }

        if (type.IsStatic || type.IsAbstract)
        {
            return $"it is {(type.IsStatic ? "static" : "abstract")}, so a load cannot create an instance of it";
        }

        for (INamedTypeSymbol? at = type; at is not null; at = at.ContainingType)
        {
            if (at.IsFileLocal)
            {
                return (at.Name == type.Name ? "it" : $"'{at.Name}' around it")
                    + " is local to its file, and the generated code is in another file";
            }

            if (at.Arity > 0)
            {
                return at.Name == type.Name ? "it is generic" : $"it is inside the generic type '{at.Name}'";
            }
        }

        if (Declarations(type, cancellationToken).Any(static part => part.ParameterList is not null))
        {
            return "it has a primary constructor, which the generated constructor cannot call";
        }

        if (type.InstanceConstructors.Any(static made => !made.IsImplicitlyDeclared))
        {
            return "it declares a constructor, which would create instances without weights; implement 'partial void OnBound()' instead";
        }

        if (type.BaseType is { SpecialType: not SpecialType.System_Object } parent
            && !parent.InstanceConstructors.Any(
                static made => made.Parameters.IsEmpty && made.DeclaredAccessibility != Accessibility.Private))
        {
            return $"its base class '{parent.Name}' has no constructor without parameters";
        }

        for (INamedTypeSymbol? at = type; at is { SpecialType: not SpecialType.System_Object }; at = at.BaseType)
        {
            bool isOwn = SymbolEqualityComparer.Default.Equals(at, type);
            ImmutableArray<ISymbol> members = at.GetMembers();
            if (members.FirstOrDefault(member => IsTaken(member) && (isOwn || IsInherited(member, type))) is { } taken)
            {
                return isOwn
                    ? $"it declares '{taken.Name}', which is generated"
                    : $"it inherits '{taken.Name}' from '{at.Name}', which the generated one would hide";
            }

            if (members.FirstOrDefault(IsRequired) is { } required)
            {
                return $"its member '{required.Name}' is required, and generated code cannot set it";
            }
        }

        return null;
    }

    private static bool IsRequired(ISymbol member) => member is IPropertySymbol { IsRequired: true } or IFieldSymbol { IsRequired: true };

    private static bool IsInherited(ISymbol member, INamedTypeSymbol by) => member.DeclaredAccessibility switch
    {
        Accessibility.Private => false,
        Accessibility.Internal or Accessibility.ProtectedAndInternal =>
            SymbolEqualityComparer.Default.Equals(member.ContainingAssembly, by.ContainingAssembly),
        _ => true,
    };

    private static bool IsTaken(ISymbol member) => member switch
    {
        { IsImplicitlyDeclared: true } => false,
        IMethodSymbol { Name: "OnBound", Parameters.IsEmpty: true } => false,
        IMethodSymbol { Name: "Dispose" } dispose => dispose.Parameters.IsEmpty,
        IMethodSymbol => Array.IndexOf(Others, member.Name) >= 0 && member.Name != "OnBound",
        _ => member.Name == "Dispose" || Array.IndexOf(Others, member.Name) >= 0 || Array.IndexOf(Methods, member.Name) >= 0,
    };

    private static bool IsPartial(INamedTypeSymbol type, CancellationToken cancellationToken) =>
        Declarations(type, cancellationToken).All(static part => part.Modifiers.Any(SyntaxKind.PartialKeyword));

    private static IEnumerable<TypeDeclarationSyntax> Declarations(INamedTypeSymbol type, CancellationToken cancellationToken) =>
        type.DeclaringSyntaxReferences.Select(part => part.GetSyntax(cancellationToken)).OfType<TypeDeclarationSyntax>();
}
