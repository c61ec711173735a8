using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using TorchSharp;
using TypedWeights.Elf;

namespace TypedWeights.Native;

/// <summary>The facts that the decision depends on: those of this process, or those that a test sets.</summary>
internal sealed class NativeHost
{
    [SupportedOSPlatformGuard("linux")]
    public bool IsLinux { get; init; } = OperatingSystem.IsLinux();

    public Architecture Architecture { get; init; } = RuntimeInformation.ProcessArchitecture;

    public bool IsSwitchedOff { get; init; } =
        string.Equals(Environment.GetEnvironmentVariable("TYPEDWEIGHTS_TORCH_NATIVE"), "off", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether libstdc++ defines the symbol that TorchSharp's native library refers to.</summary>
    public Func<bool> HasCurrentLibstdcxx { get; init; } = ProbeLibstdcxx;

    public Func<IReadOnlyList<string>> Folders { get; init; } = NativeFolders.All;

    public Func<IReadOnlyList<CacheRoot>> CacheRoots { get; init; } = OperatingSystem.IsLinux() ? CacheRoot.All : () => [];

    /// <summary>Finds a library by its file name.</summary>
    /// <returns>Its path, or null.</returns>
    public string? Find(string fileName) =>
        Folders().Select(folder => Path.Combine(folder, fileName)).FirstOrDefault(File.Exists);

    // The runtime itself is linked with libstdc++, so this is the one in the process. Without it, nothing of TorchSharp can load, and a
    // copy would not help.
    private static bool ProbeLibstdcxx() =>
        !NativeLibrary.TryLoad("libstdc++.so.6", out nint library) || NativeLibrary.TryGetExport(library, WeakVersionPatch.Symbol, out _);
}

/// <summary>File names of the native libraries on Linux.</summary>
internal static class NativeNames
{
    /// <summary>TorchSharp's own native library.</summary>
    public const string TorchSharp = "libLibTorchSharp.so";

    public const string Torch = "libtorch.so";

    public const string TorchCpu = "libtorch_cpu.so";

    /// <summary>In CUDA builds only.</summary>
    public const string TorchCuda = "libtorch_cuda.so";
}

/// <summary>
/// The folders in which the runtime, and TorchSharp after it, would find the native libraries, in their order: what the host lists from
/// the application's .deps.json, beside TorchSharp.dll, the application's folder, the package folders (scripts and notebooks use
/// TorchSharp.dll from there), and last what the system's loader is told to search.
/// </summary>
internal static class NativeFolders
{
    private const string Rid = "linux-x64";

    private static readonly string Native = Path.Combine("runtimes", Rid, "native");

    public static IReadOnlyList<string> All()
    {
        var folders = new List<string>();
        Add(folders, Split(AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string));
        string beside = FolderOf(typeof(torch).Assembly);
        Add(folders, [beside, Path.Combine(beside, Native), AppContext.BaseDirectory, Path.Combine(AppContext.BaseDirectory, Native)]);
        Add(folders, PackageFolders(beside));
        Add(folders, Split(Environment.GetEnvironmentVariable("LD_LIBRARY_PATH")));
        return folders;
    }

    /// <summary>The folders of the packages, if TorchSharp.dll is in <c>PACKAGES/torchsharp/VERSION/lib/FRAMEWORK</c>.</summary>
    internal static IEnumerable<string> PackageFolders(string beside)
    {
        string package = Path.GetFullPath(Path.Combine(beside, "..", ".."));
        string packages = Path.GetFullPath(Path.Combine(package, "..", ".."));
        bool isPackage = string.Equals(
            Path.GetFileName(Path.GetDirectoryName(package)), "torchsharp", StringComparison.OrdinalIgnoreCase);
        if (!isPackage || !Directory.Exists(Path.Combine(package, Native)))
        {
            return [];
        }

        // A CUDA build is spread over several packages whose libraries do not find each other: there only TorchSharp's own way is left.
        return LibtorchVersion() is { } version
            ? [Path.Combine(package, Native), Path.Combine(packages, "libtorch-cpu-" + Rid, version, Native)]
            : [Path.Combine(package, Native)];
    }

    // Read as metadata: torch.__version__ would run the type's initializer, which loads the libraries and, once failed, stays failed.
    private static string? LibtorchVersion()
    {
        const BindingFlags Hidden = BindingFlags.Static | BindingFlags.NonPublic;
        string? version = typeof(torch).GetField("libtorchPackageVersion", Hidden)?.GetRawConstantValue() as string;
        return version is not null && version.Count(c => c == '.') == 3 && version.EndsWith(".0", StringComparison.Ordinal)
            ? version[..^2]
            : version;
    }

    // A pragma would reach the compiler alone, and not whoever publishes with NativeAOT.
    [UnconditionalSuppressMessage(
        "SingleFile",
        "IL3000",
        Justification = "Empty in a single-file application, whose native libraries lie beside it or where the host says it unpacked them.")]
    private static string FolderOf(Assembly assembly) =>
        Path.GetDirectoryName(assembly.Location) is { Length: > 0 } folder ? folder : AppContext.BaseDirectory;

    private static string[] Split(string? folders) =>
        folders?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static void Add(List<string> folders, IEnumerable<string> more) =>
        folders.AddRange(more.Select(Path.GetFullPath).Where(f => !folders.Contains(f)));
}
