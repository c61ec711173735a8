using System.Runtime.InteropServices;
using TypedWeights.Elf;

namespace TypedWeights.Native;

/// <summary>The errors of loading: each names the library, and says what was found and what to do.</summary>
internal static class NativeErrors
{
    private const string Packages =
        "Add one libtorch package to the application: TorchSharp-cpu (every system), libtorch-cpu-linux-x64 (only Linux x64, half the " +
        "size) or TorchSharp-cuda-linux (with an NVIDIA GPU).";

    public static TorchNativeException NoBackend(string reason) =>
        new(NativeNames.TorchCpu, $"TorchSharp cannot find libtorch: {reason}. {Packages}");

    public static TorchNativeException Unreadable(string path, Exception inner) =>
        new(NativeNames.TorchSharp, $"{path} cannot be read: {inner.Message}. Restore or publish the application again.", inner);

    public static TorchNativeException Unpatchable(string path, ElfFormatException inner) => new(
        NativeNames.TorchSharp,
        $"{path} requires a newer libstdc++ than this system has, and cannot be patched to run without it: {inner.Message}. " +
        $"Install a libstdc++ that has {WeakVersionPatch.Version} (GCC 13 or later), or point LD_LIBRARY_PATH to one.",
        inner);

    public static TorchNativeException NoCopy(string path, IReadOnlyList<Exception> failures)
    {
        // The error of a copy that does not load says more than that of a folder that could not be used.
        if (failures.OfType<TorchNativeException>().FirstOrDefault() is { } failure)
        {
            return new(
                NativeNames.TorchSharp,
                $"{failure.Message} If libraries cannot be loaded from that folder, set XDG_CACHE_HOME to another one.",
                failure);
        }

        return new(
            NativeNames.TorchSharp,
            $"{path} requires a newer libstdc++ than this system has, and a patched copy could not be written: " +
            $"{string.Join("; ", failures.Select(f => f.Message.TrimEnd('.')))}. Set XDG_CACHE_HOME to a folder that only this user can " +
            $"write, or install a libstdc++ that has {WeakVersionPatch.Version} (GCC 13 or later).",
            failures.Count == 1 ? failures[0] : new AggregateException(failures));
    }

    public static TorchNativeException CopyIgnored(string copy) => new(
        NativeNames.TorchSharp,
        $"{copy} is loaded, but TorchSharp's AssemblyLoadContext insists on the application's own file, which this system cannot load. " +
        "Let its LoadUnmanagedDll return IntPtr.Zero for LibTorchSharp.");

    /// <summary>TorchSharp's type initializer failed with its libraries in the process: it ran before them, and runs only once.</summary>
    public static TorchNativeException UsedTooEarly(TypeInitializationException inner) => new(
        NativeNames.TorchSharp,
        "TorchSharp was used before its native library could be loaded, and does not recover from that failure. " +
        "Call TorchNative.EnsureLoaded() first in Main.",
        inner);

    /// <summary>The same on systems where only TorchSharp itself loads its native library.</summary>
    public static TorchNativeException DoesNotStart(TypeInitializationException inner)
    {
        string cause = inner.GetBaseException().Message.TrimStart().Split('\n')[0].TrimEnd('.', '\r');
        return new("LibTorchSharp", $"TorchSharp cannot start: {cause}. {Packages}", inner);
    }

    public static TorchNativeException DoesNotLoad(string path, Exception inner)
    {
        string name = Path.GetFileName(path);
        return IsForOtherMachine(path, out ElfMachine machine)
            ? new(name, $"{path} is built for {machine}, but this process is {RuntimeInformation.ProcessArchitecture}. {Packages}", inner)
            : new(name, $"{path} cannot be loaded: {Cause(inner)}. Install the library or the version that this error names.", inner);
    }

    // The runtime's message begins with general advice; the loader's own words are on the lines after it.
    private static string Cause(Exception e)
    {
        string[] lines = e.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return string.Join("; ", lines.Length > 1 ? lines[1..] : lines).TrimEnd('.');
    }

    // The loader calls such a file missing.
    private static bool IsForOtherMachine(string path, out ElfMachine machine)
    {
        machine = default;
        Span<byte> start = stackalloc byte[20];
        try
        {
            using FileStream file = File.OpenRead(path);
            return ElfImage.TryReadMachine(start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)], out machine)
                && machine != OfThisProcess;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static ElfMachine OfThisProcess => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.Arm64 => ElfMachine.Arm64,
        Architecture.Arm => ElfMachine.Arm,
        _ => ElfMachine.X64,
    };
}
