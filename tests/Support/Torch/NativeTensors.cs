using TorchSharp;

namespace TypedWeights.Tests;

/// <summary>Counts the tensors that are alive, for tests that look for leaks.</summary>
internal static class NativeTensors
{
    /// <summary>The count once everything that nobody refers to has been finalised: what an earlier test left must not count later.</summary>
    public static long Count()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return torch.Tensor.TotalCount;
    }
}
