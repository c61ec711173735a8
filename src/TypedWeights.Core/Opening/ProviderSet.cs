using System.Collections.Concurrent;
using TypedWeights.Sources;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Opening;

/// <summary>
/// The kinds of stores that nobody had to add: the library's own and those of referenced packages. Each is made when one of its schemes
/// is met, so that nobody pays for a store that is not used, and one that is registered later is there.
/// </summary>
/// <param name="context">The loader's connections; disposed with this.</param>
/// <param name="builtIn">The library's own.</param>
internal sealed class ProviderSet(StoreContext context, IReadOnlyList<ProviderFactory> builtIn) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<Type, Lazy<IWeightSourceProvider>> _made = new();

    public IEnumerable<string> Schemes => RegisteredSources.All.Concat(builtIn).SelectMany(static kind => kind.Schemes);

    /// <summary>The provider of a scheme; a referenced package stands in for the library's own.</summary>
    /// <returns>null where there is none.</returns>
    /// <exception cref="WeightSourceException">Two packages serve the scheme.</exception>
    public IWeightSourceProvider? Find(WeightUri uri)
    {
        ProviderFactory[] kinds = [.. RegisteredSources.All.Where(kind => kind.Schemes.Contains(uri.Scheme))];
        if (kinds.Length > 1)
        {
            throw new WeightSourceException(
                uri.Display,
                $"{string.Join(" and ", kinds.Select(static kind => kind.Type))} both serve {uri.Scheme}://; "
                    + "reference one of their packages, or add the one you mean to the loader's builder.");
        }

        ProviderFactory? found = kinds.FirstOrDefault() ?? builtIn.FirstOrDefault(kind => kind.Schemes.Contains(uri.Scheme));
        return found is null
            ? null
            : _made.GetOrAdd(found.Type, _ => new Lazy<IWeightSourceProvider>(() => found.Create(context))).Value;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Lazy<IWeightSourceProvider> provider in _made.Values.Where(static provider => provider.IsValueCreated))
        {
            await provider.Value.DisposeAsync().ConfigureAwait(false);
        }

        context.Dispose();
    }
}
