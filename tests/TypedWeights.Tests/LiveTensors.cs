using TorchSharp;

namespace TypedWeights.Tests;

/// <summary>Counts native tensors for tests of what a load or a failure leaves behind.</summary>
internal static class LiveTensors
{
    /// <summary>
    /// The tensors there are once what earlier tests dropped without disposing is gone; otherwise the collector may take it at any moment
    /// and a count afterwards is too low. After the work under test the plain count is taken: what only a collection frees is a leak.
    /// </summary>
    public static long Before()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return torch.Tensor.TotalCount;
    }
}
