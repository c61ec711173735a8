namespace TypedWeights.Sources.Stores;

/// <summary>What stores are added to: a loader's builder. A store's package has one <c>UseX</c> for it.</summary>
/// <example>
/// <code>
/// public static TBuilder UseMy&lt;TBuilder&gt;(this TBuilder builder, MyOptions? options = null)
///     where TBuilder : IWeightSourceBuilder
/// {
///     builder.AddSource(context =&gt; new MyProvider(context, options ?? new MyOptions()));
///     return builder;
/// }
/// </code>
/// </example>
public interface IWeightSourceBuilder
{
    /// <summary>Adds a provider. For its schemes it replaces a built-in or registered one.</summary>
    /// <param name="create">Creates the provider, with the loader's connections. It is disposed with the loader.</param>
    void AddSource(Func<StoreContext, IWeightSourceProvider> create);
}
