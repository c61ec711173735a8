using System.Runtime.CompilerServices;
using TypedWeights;

namespace TorchNativeProbe;

/// <summary>What became of TorchSharp's native part, in lines.</summary>
internal static class Report
{
    // Not inlined: the library's module initializer runs as soon as a method that uses one of its types is compiled.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Print(string mode)
    {
        try
        {
            if (mode is "ensure" or "late")
            {
                TorchNative.EnsureLoaded();
            }

            PrintState();
            if (mode != "state")
            {
                Console.WriteLine($"torch {TorchWork.Run()}");
            }

            Console.WriteLine($"libtorch {(Mapped.File("libtorch_cpu.so") is null ? "absent" : "loaded")}");
            return 0;
        }
        catch (TorchNativeException e)
        {
            PrintState();
            Console.WriteLine($"error {e.Library}: {e.Message}");
            return 1;
        }
    }

    private static void PrintState()
    {
        // "Patched PATH: REASON", or "STATUS: REASON".
        string[] state = TorchNative.State.Split(": ", 2);
        string[] words = state[0].Split(' ', 2);
        Console.WriteLine($"status {words[0]}");
        Console.WriteLine($"library {words.ElementAtOrDefault(1) ?? "-"}");
        Console.WriteLine($"reason {state[1]}");
        Console.WriteLine($"libstdc++ {Mapped.File("libstdc++.so") ?? "-"}");
    }
}
