using Microsoft.CodeAnalysis;
using TypedWeights.Generators.Model;

namespace TypedWeights.Generators.Parsing;

/// <summary>Finds the providers that the project and what it references name with <c>[assembly: WeightSourceProvider&lt;T&gt;]</c>.</summary>
internal static class ProviderFinder
{
    private const string Core = "TypedWeights.Core";
    private const string Space = "TypedWeights.Sources.Stores";

    // Runs for every edit, so it looks only into assemblies that know the attribute: a handful of comparisons for all the others.
    public static EquatableArray<ProviderSpec> Find(Compilation compilation, CancellationToken cancellationToken)
    {
        if (compilation.GetTypeByMetadataName(Space + ".RegisteredSources") is null)
        {
            return default;
        }

        var found = new List<ProviderSpec>();
        IEnumerable<IAssemblySymbol> knowing = compilation.SourceModule.ReferencedAssemblySymbols
            .Where(assembly => IsReachable(compilation, assembly) && assembly.Modules.Any(KnowsCore));
        foreach (IAssemblySymbol assembly in knowing.Append(compilation.Assembly))
        {
            cancellationToken.ThrowIfCancellationRequested();
            found.AddRange(assembly.GetAttributes().Where(IsProvider).Select(attribute => Read(attribute, compilation)).OfType<ProviderSpec>());
        }

        return new(found.OrderBy(static provider => provider.Type, StringComparer.Ordinal));
    }

    private static bool KnowsCore(IModuleSymbol module) => module.ReferencedAssemblies.Any(static identity => identity.Name == Core);

    // A reference under another alias than global has no name that the generated code could write.
    private static bool IsReachable(Compilation compilation, IAssemblySymbol assembly) =>
        compilation.GetMetadataReference(assembly) is not { Properties.Aliases: { IsDefaultOrEmpty: false } aliases }
        || aliases.Contains(MetadataReferenceProperties.GlobalAlias);

    private static bool IsProvider(AttributeData attribute) =>
        attribute.AttributeClass is { Name: "WeightSourceProviderAttribute", Arity: 1 } type
        && type.ContainingNamespace.ToDisplayString() == Space;

    private static ProviderSpec? Read(AttributeData attribute, Compilation compilation)
    {
        if (attribute.AttributeClass!.TypeArguments[0] is not INamedTypeSymbol { TypeKind: not TypeKind.Error } type
            || !compilation.IsSymbolAccessibleWithin(type, compilation.Assembly)
            || attribute.ConstructorArguments is not [{ Kind: TypedConstantKind.Array } schemes])
        {
            return null;
        }

        IEnumerable<string> names = schemes.Values.Select(static value => value.Value).OfType<string>();
        return new ProviderSpec(type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat), new(names));
    }
}
