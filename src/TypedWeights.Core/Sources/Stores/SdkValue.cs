namespace TypedWeights.Sources.Stores;

/// <summary>
/// What a store finds out through its SDK once for a loader: settings, a client, credentials. All callers wait for one search, whichever of
/// them gives up; a search that failed is made again for the next load.
/// </summary>
/// <typeparam name="T">What is found.</typeparam>
/// <param name="guard">Calls the SDK.</param>
/// <param name="find">Searches; it may block. It receives the guard, and the file that the search is for, as messages may show it.</param>
public sealed class SdkValue<T>(SdkGuard guard, Func<SdkGuard, string, Task<T>> find)
    where T : class
{
    private readonly Lock _gate = new();
    private Task<T>? _search;

    /// <summary>What was found; null before that.</summary>
    public T? Found => Volatile.Read(ref _search) is { IsCompletedSuccessfully: true } search ? search.Result : null;

    /// <summary>Returns what was found, or searches.</summary>
    /// <param name="call">The search, for errors.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="WeightSourceException">As for <see cref="SdkGuard.CallAsync"/>.</exception>
    public ValueTask<T> GetAsync(SdkCall call, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        return Found is { } found ? new(found) : guard.CallAsync(call, _ => JoinAsync(call.Display), cancellationToken);
    }

    /// <summary>Makes the next caller search again.</summary>
    public void Forget() => Volatile.Write(ref _search, null);

    private async Task<T> JoinAsync(string display)
    {
        try
        {
            return await Search(display).ConfigureAwait(false);
        }
        catch (WeightSourceException e) when (e.SourceName != display)
        {
            // That error names the file that another caller began the search for.
            return await Search(display).ConfigureAwait(false);
        }
    }

    private Task<T> Search(string display)
    {
        lock (_gate)
        {
            return _search = _search is null or { IsFaulted: true } ? Task.Run(() => find(guard, display)) : _search;
        }
    }
}
