using System.Collections.Concurrent;
using System.ComponentModel;

namespace TypedWeights.Sources.Stores;

/// <summary>A provider that generated code can register: it creates itself, with the options of the environment.</summary>
/// <typeparam name="TSelf">The provider itself.</typeparam>
public interface IRegisteredSource<TSelf> : IWeightSourceProvider
    where TSelf : IRegisteredSource<TSelf>
{
    /// <summary>
    /// Creates the provider, when a loader meets one of its schemes for the first time. It sends no request: credentials are looked up with
    /// the first location.
    /// </summary>
    /// <param name="context">The loader's connections and clock.</param>
    static abstract TSelf Create(StoreContext context);
}

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

/// <summary>The providers of the packages that the application references. Generated code fills it; no other code needs it.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class RegisteredSources
{
    private static readonly ConcurrentDictionary<Type, ProviderFactory> Registered = new();

    /// <summary>What has been registered so far.</summary>
    internal static IEnumerable<ProviderFactory> All => Registered.Values;

    /// <summary>Registers a provider; registering it twice changes nothing.</summary>
    /// <typeparam name="TProvider">The provider.</typeparam>
    /// <param name="schemes">The schemes it serves, in lower case.</param>
    public static void Register<TProvider>(params string[] schemes)
        where TProvider : IRegisteredSource<TProvider>
    {
        ArgumentNullException.ThrowIfNull(schemes);
        Registered.TryAdd(typeof(TProvider), new(typeof(TProvider), [.. schemes], static context => TProvider.Create(context)));
    }
}

/// <summary>A provider that is created when a loader meets one of its schemes.</summary>
/// <param name="Type">The provider's type.</param>
/// <param name="Schemes">The schemes it serves.</param>
/// <param name="Create">Creates it.</param>
internal sealed record ProviderFactory(Type Type, IReadOnlyList<string> Schemes, Func<StoreContext, IWeightSourceProvider> Create);
