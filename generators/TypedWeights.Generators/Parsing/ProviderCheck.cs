using TypedWeights.Generators.Diagnostics;
using TypedWeights.Generators.Model;
using TypedWeights.Sources;

namespace TypedWeights.Generators.Parsing;

/// <summary>Whether the project has what a class's source needs.</summary>
internal static class ProviderCheck
{
    /// <returns>
    /// The package to add; null if none is missing, and for an unknown scheme: it may be an alias, which is resolved at run time.
    /// </returns>
    public static Problem? Explain(ClassSpec @class, EquatableArray<ProviderSpec> providers)
    {
        string scheme = WeightUri.Parse(@class.Source).Scheme;
        return StorePackages.For(scheme) is { } package && !providers.Any(provider => provider.Schemes.Contains(scheme))
            ? Problem.Of(Descriptors.NoProvider, @class.Name, scheme, package)
            : null;
    }
}
