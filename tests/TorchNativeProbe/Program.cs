// A program that uses a TypedWeights type and then TorchSharp, and prints what became of TorchSharp's native part.
//   TorchNativeProbe           leaves loading to the library's module initializer
//   TorchNativeProbe ensure    calls EnsureLoaded first, and prints its error
//   TorchNativeProbe state     uses nothing of TorchSharp
// Lines: `status NAME`, `library PATH`, `reason TEXT`, `libstdc++ PATH`, then `torch …` and `libtorch loaded|absent`. Exit 1 on an error.
using TorchNativeProbe;
using TypedWeights;

string mode = args.FirstOrDefault() ?? "initializer";
TorchNativeState state = TorchNative.State;
try
{
    if (mode == "ensure")
    {
        TorchNative.EnsureLoaded();
        state = TorchNative.State;
    }

    Console.WriteLine($"status {state.Status}");
    Console.WriteLine($"library {state.LibraryPath ?? "-"}");
    Console.WriteLine($"reason {state.Reason}");
    Console.WriteLine($"libstdc++ {Mapped.File("libstdc++.so") ?? "-"}");
    if (mode != "state")
    {
        Console.WriteLine($"torch {TorchWork.Run()}");
    }

    Console.WriteLine($"libtorch {(Mapped.File("libtorch_cpu.so") is null ? "absent" : "loaded")}");
    return 0;
}
catch (TorchNativeException e)
{
    Console.WriteLine($"status {TorchNative.State.Status}");
    Console.WriteLine($"error {e.Library}: {e.Message}");
    return 1;
}
