using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace TypedWeights;

/// <summary>Acts when the first type of this assembly is used: code that reaches TorchSharp through it need not think of it.</summary>
internal static class TorchNativeInitializer
{
    [ModuleInitializer]
    [SuppressMessage(
        "Usage",
        "CA2255",
        Justification = "TorchSharp's type initializers load its native part and fail for good if it does not load. A library in front of "
            + "TorchSharp has no other moment before them; this one never throws, and does nothing where nothing is needed.")]
    internal static void Run() => TorchNative.Prepare();
}
