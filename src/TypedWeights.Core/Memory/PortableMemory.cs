namespace TypedWeights.Memory;

/// <summary>
/// Whether memory is had the way that works on every system, although this one has a better: what Windows and macOS do, and tests force.
/// </summary>
internal static class PortableMemory
{
    /// <summary>The runtime switch (<c>RuntimeHostConfigurationOption</c> or <see cref="AppContext.SetSwitch"/>); off by default.</summary>
    public const string Switch = "TypedWeights.PortableMemory";

    public static bool IsForced => AppContext.TryGetSwitch(Switch, out bool forced) && forced;
}
