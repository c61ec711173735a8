using TypedWeights.Transfer.Retry;

namespace TypedWeights.Tests.Stores.Seam;

/// <summary>The time that the error of a load which gave up names.</summary>
public sealed class RetryTimeTests
{
    private const string File = "my://place/model.safetensors";

    [Fact]
    public async Task The_retry_time_counts_from_the_start_of_the_first_attempt()
    {
        var clock = new ManualClock();
        var context = new TransferContext(new() { Attempts = 2, RetryDelay = TimeSpan.Zero }, clock);

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => RetryPolicy.RunAsync(
            context,
            _ =>
            {
                clock.Jump(TimeSpan.FromSeconds(12.5));
                return ValueTask.FromException<int>(new WeightSourceException(File, "no answer.") { IsTransient = true });
            },
            TestContext.Current.CancellationToken).AsTask());

        Assert.Equal($"{File}: gave up after 2 attempts in 25.0 s: 2 × no answer.", error.Message);
    }
}
