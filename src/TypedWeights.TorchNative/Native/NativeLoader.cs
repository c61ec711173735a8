using System.Runtime.InteropServices;
using TorchSharp;

namespace TypedWeights.Native;

/// <summary>Loads native libraries for the life of the process.</summary>
internal static class NativeLoader
{
    /// <summary>Loads libtorch from where the runtime would take it.</summary>
    /// <returns>False if the application has no libtorch.</returns>
    /// <exception cref="TorchNativeException">libtorch was found but cannot be loaded.</exception>
    public static bool TryLoadLibtorch(NativeHost host)
    {
        // TorchSharp's own order on Linux: torch_cuda if there is one (it loads c10, c10_cuda and torch_cpu too), else torch_cpu.
        // Then torch, because a copy in another folder finds the libraries that it is linked with only if they are already loaded.
        string? cuda = host.Find(NativeNames.TorchCuda);
        return TryLoad(host, cuda is null ? NativeNames.TorchCpu : NativeNames.TorchCuda) && TryLoad(host, NativeNames.Torch);
    }

    /// <summary>Loads all libraries file by file: scripts and notebooks need this, and the error of a failure says what is wrong.</summary>
    /// <exception cref="TorchNativeException">A library is missing or does not load.</exception>
    public static void LoadFiles(NativeHost host)
    {
        if (!TryLoadLibtorch(host))
        {
            throw NativeErrors.NoBackend($"{NativeNames.TorchCpu} was not found");
        }

        if (!TryLoad(host, NativeNames.TorchSharp))
        {
            throw NativeErrors.NoBackend($"{NativeNames.TorchSharp}, which is part of the TorchSharp package, was not found");
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

    /// <summary>Loads libtorch and TorchSharp's native library as TorchSharp does in its first attempt.</summary>
    /// <returns>False when that fails, after which TorchSharp would start to copy libraries.</returns>
    public static bool TryLoadAsTorchSharpDoes()
    {
        // Whether torch_cpu loads does not matter: LibTorchSharp may find it by itself.
        _ = TryLoadByName("torch_cpu");
        return TryLoadByName("LibTorchSharp");
    }

    // An AssemblyLoadContext that insists on a file throws.
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

    // If no file is found, a library with this name in the process or the system is used.
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
