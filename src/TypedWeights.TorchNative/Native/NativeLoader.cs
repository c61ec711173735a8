using System.Runtime.InteropServices;
using TorchSharp;

namespace TypedWeights.Native;

/// <summary>Loads native libraries for the life of the process.</summary>
internal static class NativeLoader
{
    /// <summary>Loads libtorch from where the runtime would take it.</summary>
    /// <returns>False when the application has none.</returns>
    /// <exception cref="TorchNativeException">It is there and does not load.</exception>
    public static bool TryLoadLibtorch(NativeHost host)
    {
        // TorchSharp's own order on Linux: torch_cuda where there is one (it brings c10, c10_cuda and torch_cpu along), else torch_cpu.
        // Then torch, because a copy in a folder of its own finds what it is linked with only if that is in the process already.
        string? cuda = host.Find(NativeNames.TorchCuda);
        return TryLoad(host, cuda is null ? NativeNames.TorchCpu : NativeNames.TorchCuda) && TryLoad(host, NativeNames.Torch);
    }

    /// <summary>Loads all of it file by file: scripts and notebooks need that, and where it fails the error says what is wrong.</summary>
    /// <exception cref="TorchNativeException">A library is missing or does not load.</exception>
    public static void LoadFiles(NativeHost host)
    {
        if (!TryLoadLibtorch(host))
        {
            throw NativeErrors.NoBackend($"{NativeNames.TorchCpu} was not found");
        }

        if (!TryLoad(host, NativeNames.TorchSharp))
        {
            throw NativeErrors.NoBackend($"{NativeNames.TorchSharp}, which the TorchSharp package brings, was not found");
        }
    }

    /// <exception cref="TorchNativeException">The library does not load.</exception>
    public static void Load(string path)
    {
        try
        {
            NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw NativeErrors.DoesNotLoad(path, e);
        }
    }

    /// <summary>Loads libtorch and TorchSharp's native part as TorchSharp does in its first attempt.</summary>
    /// <returns>False when that fails, after which TorchSharp would begin to copy libraries.</returns>
    public static bool TryLoadAsTorchSharpDoes()
    {
        // Whether torch_cpu loads does not matter: LibTorchSharp may find it by itself.
        _ = TryLoadByName("torch_cpu");
        return TryLoadByName("LibTorchSharp");
    }

    // The exception is that of an AssemblyLoadContext that insists on a file.
    private static bool TryLoadByName(string name)
    {
        try
        {
            return NativeLibrary.TryLoad(name, typeof(torch).Assembly, null, out _);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            return false;
        }
    }

    // Where no file is found: what the process or the system has of that name.
    private static bool TryLoad(NativeHost host, string fileName)
    {
        if (host.Find(fileName) is not { } path)
        {
            return NativeLibrary.TryLoad(fileName, out _);
        }

        Load(path);
        return true;
    }
}
