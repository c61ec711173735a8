using System.ComponentModel;

namespace TypedWeights.Sources.Stores;

/// <summary>The providers of the packages that the application references. Generated code fills it; nobody else need.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class RegisteredSources
{
    private static readonly Lock Gate = new();
    private static ProviderFactory[] _all = [];

    /// <summary>What has been registered so far.</summary>
    internal static IReadOnlyList<ProviderFactory> All => Volatile.Read(ref _all);

    /// <summary>Registers a provider; doing it twice is harmless.</summary>
    /// <typeparam name="TProvider">The provider.</typeparam>
    /// <param name="schemes">The schemes it serves, in lower case.</param>
    public static void Register<TProvider>(params string[] schemes)
        where TProvider : IRegisteredSource<TProvider>
    {
        ArgumentNullException.ThrowIfNull(schemes);
        lock (Gate)
        {
            if (!_all.Any(static kind => kind.Type == typeof(TProvider)))
            {
                Volatile.Write(
                    ref _all, [.. _all, new ProviderFactory(typeof(TProvider), [.. schemes], static context => TProvider.Create(context))]);
            }
        }
    }
}
