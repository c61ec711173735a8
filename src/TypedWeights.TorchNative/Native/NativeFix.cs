using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using TypedWeights.Elf;

namespace TypedWeights.Native;

/// <summary>Decides whether TorchSharp's native library needs the patched copy on this system, and if so loads it from there.</summary>
/// <remarks>
/// TorchSharp loads "LibTorchSharp" through the runtime. The runtime tries the application's own file, which the system's loader rejects, and
/// then the bare name: that is the copy's SONAME, and the copy is in the process. So TorchSharp's first attempt succeeds. Its second attempt
/// would copy all of libtorch (490 MB) into a folder <c>cpu</c> beside TorchSharp.dll; tests watch for that folder.
/// </remarks>
internal static class NativeFix
{
    /// <summary>Loads the copy if it is needed. Cheap checks run first, so a system without the problem reads no file.</summary>
    /// <exception cref="TorchNativeException">The copy is needed and cannot be made or loaded.</exception>
    public static NativeState Apply(NativeHost host)
    {
        if (host.IsSwitchedOff)
        {
            return new(NativeStatus.SwitchedOff, "TYPEDWEIGHTS_TORCH_NATIVE is off");
        }

        if (!host.IsLinux || host.Architecture != Architecture.X64)
        {
            return new(NativeStatus.NotNeeded, "only Linux x64 can need the copy");
        }

        return host.HasCurrentLibstdcxx()
            ? new(NativeStatus.NotNeeded, $"libstdc++ has {WeakVersionPatch.Version}")
            : ApplyToOldLibstdcxx(host);
    }

    [SupportedOSPlatform("linux")]
    private static NativeState ApplyToOldLibstdcxx(NativeHost host)
    {
        if (host.Find(NativeNames.TorchSharp) is not { } path)
        {
            return new(NativeStatus.NoBackend, $"{NativeNames.TorchSharp} was not found");
        }

        byte[] original;
        try
        {
            original = File.ReadAllBytes(path);
            if (!WeakVersionPatch.IsRequired(new ElfImage(original)))
            {
                return new(NativeStatus.NotNeeded, $"{path} does not require {WeakVersionPatch.Version}");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ElfFormatException)
        {
            throw NativeErrors.Unreadable(path, e);
        }

        return NativeLoader.TryLoadLibtorch(host)
            ? new(NativeStatus.Patched, $"libstdc++ lacks {WeakVersionPatch.Version}", LoadCopy(original, path, host))
            : new(NativeStatus.NoBackend, $"{NativeNames.TorchCpu} was not found");
    }

    // A cache may be read-only, open to others, or on a disk mounted noexec: then the next folder is tried.
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

/// <summary>What was done about TorchSharp's native library, and why.</summary>
/// <param name="Status">What was done.</param>
/// <param name="Reason">Why, in one sentence.</param>
/// <param name="LibraryPath">The private copy that was loaded; null unless the status is <see cref="NativeStatus.Patched"/>.</param>
internal sealed record NativeState(NativeStatus Status, string Reason, string? LibraryPath = null)
{
    public override string ToString() => LibraryPath is null ? $"{Status}: {Reason}" : $"{Status} {LibraryPath}: {Reason}";
}

/// <summary>What was done about TorchSharp's native library.</summary>
internal enum NativeStatus
{
    /// <summary>Nothing: libstdc++ is new enough, TorchSharp does not require a newer one, or this is not Linux x64.</summary>
    NotNeeded,

    /// <summary>Nothing, because the environment variable <c>TYPEDWEIGHTS_TORCH_NATIVE</c> is <c>off</c>.</summary>
    SwitchedOff,

    /// <summary>Nothing, because no libtorch of the application was found.</summary>
    NoBackend,

    /// <summary>TorchSharp's native library was loaded from a private copy that this system's libstdc++ satisfies.</summary>
    Patched,

    /// <summary>The copy is needed and could not be made or loaded.</summary>
    Failed,
}
