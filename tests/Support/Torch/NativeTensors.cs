using TorchSharp;

namespace TypedWeights.Tests;

/// <summary>Counts the tensors that are alive, for tests of what a load or a failure leaves behind.</summary>
internal static class NativeTensors
{
    /// <summary>The count once what earlier tests dropped without disposing has been finalised, as far as it can be.</summary>
    public static long Count()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return torch.Tensor.TotalCount;
    }

    /// <summary>
    /// Fails when there are more than before. The plain count is taken: what only a collection frees is a leak. There may be fewer, since
    /// what an earlier test left can go at any moment.
    /// </summary>
    public static void AssertNoneSince(long before) => Assert.InRange(torch.Tensor.TotalCount, 0, before);
}
