using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using TypedWeights.Elf;

namespace TypedWeights.Native;

/// <summary>Decides whether TorchSharp's native part needs the patched copy on this system, and if so loads it from there.</summary>
/// <remarks>
/// TorchSharp asks the runtime for "LibTorchSharp". The runtime tries the application's own file, which the system's loader refuses, and
/// then the bare name: that is the copy's SONAME, and the copy is in the process. So TorchSharp's first attempt succeeds, and its second,
/// which copies all of libtorch (490 MB) into a folder <c>cpu</c> beside TorchSharp.dll, is never made; tests watch for that folder.
/// </remarks>
internal static class NativeFix
{
    /// <summary>Acts where it has to; the cheap questions come first, and a system that needs nothing reads no file.</summary>
    /// <exception cref="TorchNativeException">The copy is needed and cannot be made or loaded.</exception>
    public static TorchNativeState Apply(NativeHost host)
    {
        if (host.IsSwitchedOff)
        {
            return new(TorchNativeStatus.SwitchedOff, "TYPEDWEIGHTS_TORCH_NATIVE is off");
        }

        if (!host.IsLinux || host.Architecture != Architecture.X64)
        {
            return new(TorchNativeStatus.NotNeeded, "only Linux x64 can need it");
        }

        return host.HasCurrentLibstdcxx()
            ? new(TorchNativeStatus.NotNeeded, $"libstdc++ has {WeakVersionPatch.Version}")
            : ApplyToOldLibstdcxx(host);
    }

    [SupportedOSPlatform("linux")]
    private static TorchNativeState ApplyToOldLibstdcxx(NativeHost host)
    {
        if (host.Find(NativeNames.TorchSharp) is not { } path)
        {
            return new(TorchNativeStatus.NoBackend, $"{NativeNames.TorchSharp} was not found");
        }

        byte[] original = Read(path);
        if (!AsksForVersion(original, path))
        {
            return new(TorchNativeStatus.NotNeeded, $"{path} does not ask for {WeakVersionPatch.Version}");
        }

        return NativeLoader.TryLoadLibtorch(host)
            ? new(TorchNativeStatus.Patched, $"libstdc++ lacks {WeakVersionPatch.Version}", LoadCopy(original, path, host))
            : new(TorchNativeStatus.NoBackend, $"{NativeNames.TorchCpu} was not found");
    }

    private static byte[] Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NativeErrors.Unreadable(path, e);
        }
    }

    private static bool AsksForVersion(byte[] original, string path)
    {
        try
        {
            return WeakVersionPatch.IsAskedFor(new ElfImage(original));
        }
        catch (ElfFormatException e)
        {
            throw NativeErrors.Unreadable(path, e);
        }
    }

    // A cache may be read-only, open to others, or on a disk from which nothing may be run: then the next place is tried.
    [SupportedOSPlatform("linux")]
    private static string LoadCopy(byte[] original, string path, NativeHost host)
    {
        var failures = new List<Exception>();
        foreach (CacheRoot root in host.CacheRoots())
        {
            try
            {
                string copy = PatchedCopy.Ensure(original, NativeNames.TorchSharp, root);
                NativeLoader.Load(copy);
                return copy;
            }
            catch (ElfFormatException e)
            {
                throw NativeErrors.Unpatchable(path, e);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or TorchNativeException)
            {
                failures.Add(e);
            }
        }

        throw NativeErrors.NoCopy(path, failures);
    }
}
