namespace TypedWeights.Sources.Stores;

/// <summary>A kind of store that is made when one of its schemes is met.</summary>
/// <param name="Type">The provider's type, for messages and to tell it from others.</param>
/// <param name="Schemes">The schemes it serves.</param>
/// <param name="Create">Makes it.</param>
internal sealed record ProviderFactory(Type Type, IReadOnlyList<string> Schemes, Func<StoreContext, IWeightSourceProvider> Create);
