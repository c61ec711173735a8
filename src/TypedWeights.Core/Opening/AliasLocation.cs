using TypedWeights.Sources;

namespace TypedWeights.Opening;

/// <summary>A place that an alias led to: what cannot be opened there is told with the alias and where it led.</summary>
internal sealed class AliasLocation(IWeightLocation inner, WeightUri alias) : DelegatingLocation(inner)
{
    public static async ValueTask<T> TellAsync<T>(ValueTask<T> call, WeightUri alias)
    {
        try
        {
            return await call.ConfigureAwait(false);
        }
        catch (WeightSourceException e)
        {
            string before = e.SourceName + ": ";
            string message = e.Message.StartsWith(before, StringComparison.Ordinal) ? e.Message[before.Length..] : e.Message;
            throw e.Rephrased(message, e, $"{alias.Display} → {e.SourceName}");
        }
    }

    public override ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken) =>
        TellAsync(Inner.OpenAsync(name, cancellationToken), alias);

    public override ValueTask<IWeightSource> OpenAsync(string name, int firstBytes, CancellationToken cancellationToken) =>
        TellAsync(Inner.OpenAsync(name, firstBytes, cancellationToken), alias);
}
