namespace TypedWeights.Tests;

/// <summary>Waits for what other threads or processes do. The limit is a guard against hanging, far beyond what anything takes.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <param name="isSo">What is to become true.</param>
    /// <param name="otherwise">Says what is the case when it does not.</param>
    public static async Task BecomesAsync(Func<bool> isSo, Func<string> otherwise)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!isSo())
        {
            if (limit.IsCancellationRequested)
            {
                Assert.Fail($"{otherwise()}, {Limit.TotalSeconds} seconds on.");
            }

            await Task.Delay(10, CancellationToken.None);
        }
    }
}
