using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using TypedWeights.Elf;

namespace TypedWeights.Native;

/// <summary>What the decision goes by: facts of this process, or those of another that a test makes up.</summary>
internal sealed class NativeHost
{
    private const string Switch = "TYPEDWEIGHTS_TORCH_NATIVE";

    /// <summary>The process as it is.</summary>
    public static NativeHost Current => new();

    [SupportedOSPlatformGuard("linux")]
    public bool IsLinux { get; init; } = OperatingSystem.IsLinux();

    public Architecture Architecture { get; init; } = RuntimeInformation.ProcessArchitecture;

    public bool IsSwitchedOff { get; init; } =
        string.Equals(Environment.GetEnvironmentVariable(Switch), "off", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether libstdc++ defines what TorchSharp's native part asks of it.</summary>
    public Func<bool> HasCurrentLibstdcxx { get; init; } = ProbeLibstdcxx;

    public Func<IReadOnlyList<string>> Folders { get; init; } = NativeFolders.All;

    public Func<IReadOnlyList<CacheRoot>> CacheRoots { get; init; } = OperatingSystem.IsLinux() ? CacheRoot.All : () => [];

    /// <summary>Finds a library by its file name.</summary>
    /// <returns>Its path, or null.</returns>
    public string? Find(string fileName) =>
        Folders().Select(folder => Path.Combine(folder, fileName)).FirstOrDefault(File.Exists);

    // The runtime itself is linked with libstdc++, so this is the one already in the process. Where there is none, nothing of
    // TorchSharp can load, and no copy would mend it.
    private static bool ProbeLibstdcxx() =>
        !NativeLibrary.TryLoad("libstdc++.so.6", out nint library) || NativeLibrary.TryGetExport(library, WeakVersionPatch.Symbol, out _);
}
