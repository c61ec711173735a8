using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace TypedWeights.Interop;

/// <summary>Prepares TorchSharp's native library when the first type of this assembly is used.</summary>
internal static class TorchNativeInitializer
{
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "For the same reason as the initializer that it runs.")]
    internal static void Run() => RuntimeHelpers.RunModuleConstructor(typeof(TorchNative).Module.ModuleHandle);
}
