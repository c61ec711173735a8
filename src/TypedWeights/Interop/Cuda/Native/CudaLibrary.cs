using System.Reflection;
using System.Runtime.InteropServices;

namespace TypedWeights.Interop.Cuda.Native;

/// <summary>Finds NVIDIA's driver library, which comes with the driver and with nothing else.</summary>
internal static class CudaLibrary
{
    /// <summary>What the imports call it.</summary>
    public const string Name = "typedweights-cuda-driver";

    private static readonly Lazy<nint> Handle = new(Load);

    /// <summary>The file's name on this system.</summary>
    public static string FileName => OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";

    /// <summary>Whether it is there and loads. From then on the imports work.</summary>
    public static bool IsPresent => Handle.Value != 0;

    private static nint Load()
    {
        // One resolver for an assembly; what it does not know goes the usual way.
        NativeLibrary.SetDllImportResolver(typeof(CudaLibrary).Assembly, Resolve);
        return NativeLibrary.TryLoad(FileName, out nint handle) ? handle : 0;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == Name ? Handle.Value : 0;
}
