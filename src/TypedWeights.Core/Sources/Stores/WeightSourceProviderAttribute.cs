namespace TypedWeights.Sources.Stores;

/// <summary>
/// Names a provider of this assembly. Every application that references the assembly and the generator has the provider in all its
/// loaders: generated code registers it by its type, without reflection, when the application starts.
/// </summary>
/// <typeparam name="TProvider">The provider: public, in no generic type.</typeparam>
/// <param name="schemes">The schemes it serves, in lower case.</param>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
public sealed class WeightSourceProviderAttribute<TProvider>(params string[] schemes) : Attribute
    where TProvider : IRegisteredSource<TProvider>
{
    /// <summary>The schemes it serves.</summary>
    public IReadOnlyList<string> Schemes { get; } = schemes;
}
