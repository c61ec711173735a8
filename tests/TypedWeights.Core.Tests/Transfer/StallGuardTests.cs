using TypedWeights.Transfer.Retry;

namespace TypedWeights.Tests.Transfer;

public sealed class StallGuardTests : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    private readonly HandClock _clock = new();
    private readonly Patience _patience;
    private readonly StallGuard _guard;

    public StallGuardTests()
    {
        _patience = new Patience(Longest, _clock);
        _guard = new StallGuard(_patience, _clock);
    }

    public void Dispose() => _guard.Dispose();

    [Fact]
    public void A_first_response_may_take_the_longest_time()
    {
        CancellationToken token = _guard.Begin(mayBeEarly: true, CancellationToken.None);

        _clock.Advance(Longest - TimeSpan.FromMilliseconds(1));
        Assert.False(token.IsCancellationRequested);

        _clock.Advance(TimeSpan.FromMilliseconds(1));
        AssertFired(isEarly: false, token);
    }

    [Fact]
    public void A_stall_after_bytes_that_arrived_quickly_ends_the_call_early()
    {
        CancellationToken token = BeginAndGet(mayBeEarly: true);

        _clock.Advance(Patience.Least);

        AssertFired(isEarly: true, token);
        Assert.Equal(Patience.Least, _guard.StallTime);
    }

    [Fact]
    public void A_call_that_would_have_to_start_again_may_stall_for_the_longest_time()
    {
        CancellationToken token = BeginAndGet(mayBeEarly: false);

        _clock.Advance(Longest - TimeSpan.FromMilliseconds(1));
        Assert.False(token.IsCancellationRequested);

        _clock.Advance(TimeSpan.FromMilliseconds(1));
        AssertFired(isEarly: false, token);
    }

    [Fact]
    public void The_time_in_which_the_caller_processes_bytes_does_not_count_as_a_stall()
    {
        CancellationToken token = _guard.Begin(mayBeEarly: true, CancellationToken.None);
        _guard.Arrived();

        _clock.Advance(TimeSpan.FromMinutes(10));
        Assert.False(token.IsCancellationRequested);

        _guard.Wait();
        _clock.Advance(Patience.Least - TimeSpan.FromMilliseconds(1));
        Assert.False(token.IsCancellationRequested);
        _clock.Advance(Patience.Least);
        Assert.True(token.IsCancellationRequested);
        Assert.Equal(Patience.Least, _patience.For(0));
    }

    [Fact]
    public void The_time_between_two_calls_does_not_count_as_a_stall()
    {
        BeginAndGet(mayBeEarly: true);
        _guard.End(CancellationToken.None);

        _clock.Advance(TimeSpan.FromMinutes(10));

        Assert.False(_guard.HasFired);
        Assert.False(_guard.Begin(mayBeEarly: true, CancellationToken.None).IsCancellationRequested);
    }

    [Fact]
    public void Each_abandoned_call_gives_the_next_call_more_time_until_a_byte_arrives()
    {
        var silences = new List<double>();
        BeginAndGet(mayBeEarly: true);
        for (int i = 0; i < 7; i++)
        {
            long start = _clock.GetTimestamp();
            CancellationToken token = _guard.Begin(mayBeEarly: true, CancellationToken.None);
            while (!token.IsCancellationRequested)
            {
                _clock.Advance(TimeSpan.FromMilliseconds(100));
            }

            silences.Add(Math.Round(_clock.GetElapsedTime(start).TotalSeconds));
            _guard.End(CancellationToken.None);
        }

        Assert.Equal([1, 2, 4, 8, 16, 20, 20], silences);

        CancellationToken again = BeginAndGet(mayBeEarly: true);
        _clock.Advance(Patience.Least);
        AssertFired(isEarly: true, again);
    }

    [Fact]
    public void A_second_read_is_not_abandoned_with_the_first_while_no_read_gets_bytes()
    {
        CancellationToken first = BeginAndGet(mayBeEarly: true);
        using var other = new StallGuard(_patience, _clock);
        CancellationToken second = other.Begin(mayBeEarly: true, CancellationToken.None);

        _clock.Advance(TimeSpan.FromSeconds(15));
        Assert.NotEqual(first.IsCancellationRequested, second.IsCancellationRequested);

        // The network is back.
        _patience.Arrived();
        _clock.Advance(TimeSpan.FromMilliseconds(500));
        Assert.True(first.IsCancellationRequested && second.IsCancellationRequested);
    }

    [Fact]
    public void A_cancellation_by_the_caller_is_not_reported_as_a_stall()
    {
        using var cancel = new CancellationTokenSource();
        CancellationToken token = _guard.Begin(mayBeEarly: true, cancel.Token);

        cancel.Cancel();
        _guard.End(cancel.Token);

        Assert.True(token.IsCancellationRequested);
        Assert.False(_guard.HasFired);
    }

    // Something is measured then, and it came quickly.
    private CancellationToken BeginAndGet(bool mayBeEarly)
    {
        CancellationToken token = _guard.Begin(mayBeEarly, CancellationToken.None);
        _guard.Arrived();
        _guard.Wait();
        return token;
    }

    private void AssertFired(bool isEarly, CancellationToken token)
    {
        Assert.True(token.IsCancellationRequested);
        _guard.End(CancellationToken.None);
        Assert.True(_guard.HasFired);
        Assert.Equal(isEarly, _guard.IsEarly);
    }
}
