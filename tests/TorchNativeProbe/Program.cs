// A program that uses a TypedWeights type and then TorchSharp, and prints what became of TorchSharp's native part.
//   TorchNativeProbe           leaves loading to the library's module initializer
//   TorchNativeProbe ensure    calls EnsureLoaded first, and prints its error
//   TorchNativeProbe state     uses nothing of TorchSharp
//   TorchNativeProbe late      uses TorchSharp before anything of TypedWeights, and only then calls EnsureLoaded
// Lines: `status NAME`, `library PATH`, `reason TEXT`, `libstdc++ PATH`, then `torch …` and `libtorch loaded|absent`. Exit 1 on an error.
using TorchNativeProbe;

string mode = args.FirstOrDefault() ?? "initializer";
if (mode == "late")
{
    Console.WriteLine($"early {TorchWork.Try()}");
}

return Report.Print(mode);
