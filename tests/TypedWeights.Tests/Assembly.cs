using System.Runtime.CompilerServices;
using Xunit.Sdk;

// Tests count native tensors, which are the whole process's: one test at a time.
[assembly: Xunit.v3.Parallelization(Mode = ParallelMode.None)]

namespace TypedWeights.Tests;

internal static class Assembly
{
    // Tests come in any order, and the first may use TorchSharp before it uses a type of the library, which prepares TorchSharp's native part.
    [ModuleInitializer]
    internal static void PrepareNativePart() => RuntimeHelpers.RunModuleConstructor(typeof(WeightLoader).Module.ModuleHandle);
}
