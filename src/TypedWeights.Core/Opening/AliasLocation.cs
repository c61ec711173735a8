using TypedWeights.Sources;

namespace TypedWeights.Opening;

/// <summary>A location that an alias led to: its errors name the alias and where it led.</summary>
internal sealed class AliasLocation(IWeightLocation inner, WeightUri alias) : DelegatingLocation(inner)
{
    public static async ValueTask<T> NameAsync<T>(ValueTask<T> call, WeightUri alias)
    {
        try
        {
            return await call.ConfigureAwait(false);
        }
        catch (WeightSourceException e)
        {
            throw e.Rephrased(e.Said, e, $"{alias.Display} → {e.SourceName}");
        }
    }

    public override ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken) =>
        NameAsync(Inner.OpenAsync(name, cancellationToken), alias);

    public override ValueTask<IWeightSource> OpenAsync(string name, int firstBytes, CancellationToken cancellationToken) =>
        NameAsync(Inner.OpenAsync(name, firstBytes, cancellationToken), alias);
}
