// A program that uses a TypedWeights type and then TorchSharp, and prints what became of TorchSharp's native part.
//   TorchNativeProbe           uses a type of the library and never mentions loading
//   TorchNativeProbe ensure    calls EnsureLoaded first, and prints its error
//   TorchNativeProbe state     uses nothing of TorchSharp
//   TorchNativeProbe late      uses TorchSharp before anything of TypedWeights, and only then calls EnsureLoaded
// Lines: `device NAME` or `early works|fails` where the mode has them, then `status NAME`, `library PATH`, `reason TEXT`, `libstdc++ PATH`,
// and `torch …` and `libtorch loaded|absent`, or `error LIBRARY: TEXT`. Exit 1 on an error.
using TorchNativeProbe;

string mode = args.FirstOrDefault() ?? "initializer";
if (mode == "initializer")
{
    Console.WriteLine($"device {TypedWeightsWork.Run()}");
}
else if (mode == "late")
{
    Console.WriteLine($"early {TorchWork.Try()}");
}

return Report.Print(mode);
