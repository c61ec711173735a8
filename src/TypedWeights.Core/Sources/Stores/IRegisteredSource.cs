namespace TypedWeights.Sources.Stores;

/// <summary>A kind of store that generated code can register: it makes itself, with the options of the environment.</summary>
/// <typeparam name="TSelf">The provider itself.</typeparam>
public interface IRegisteredSource<TSelf> : IWeightSourceProvider
    where TSelf : IRegisteredSource<TSelf>
{
    /// <summary>
    /// Makes the provider, when a loader meets one of its schemes for the first time. Nothing is asked for yet: credentials are looked up
    /// with the first location.
    /// </summary>
    /// <param name="context">The loader's connections and clock.</param>
    static abstract TSelf Create(StoreContext context);
}
