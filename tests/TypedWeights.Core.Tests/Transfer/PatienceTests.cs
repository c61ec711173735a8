using TypedWeights.Transfer.Retry;

namespace TypedWeights.Tests.Transfer;

public sealed class PatienceTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    private readonly HandClock _clock = new();
    private readonly Patience _patience;

    public PatienceTests() => _patience = new Patience(Longest, _clock);

    [Fact]
    public void The_wait_is_the_longest_time_before_any_bytes_have_arrived()
    {
        Assert.Equal(Longest, _patience.For(0));
        Assert.Equal(Longest, _patience.For(3));
    }

    [Fact]
    public void A_server_that_responds_at_once_gets_the_shortest_wait()
    {
        Wait(TimeSpan.FromMilliseconds(2), times: 100);

        Assert.Equal(Patience.Least, _patience.For(0));
    }

    [Fact]
    public void A_server_that_is_always_slow_gets_a_small_multiple_of_its_usual_delay()
    {
        Wait(TimeSpan.FromSeconds(1), times: 100);

        Assert.InRange(_patience.For(0), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void A_server_that_sends_in_bursts_is_measured_by_the_pauses_between_bursts()
    {
        for (int burst = 0; burst < 20; burst++)
        {
            Wait(TimeSpan.FromMilliseconds(1), times: 200);
            Wait(TimeSpan.FromSeconds(1), times: 1);
        }

        Assert.InRange(_patience.For(0), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void A_pause_of_the_whole_server_does_not_lengthen_the_wait()
    {
        Wait(TimeSpan.FromMilliseconds(10), times: 10_000);

        Wait(TimeSpan.FromSeconds(10), times: 8);

        Assert.Equal(Patience.Least, _patience.For(0));
    }

    [Fact]
    public void The_usual_delay_follows_the_most_recent_delays()
    {
        Wait(TimeSpan.FromSeconds(2), times: 100);
        Assert.InRange(_patience.For(0), TimeSpan.FromSeconds(6), Longest);

        Wait(TimeSpan.FromMilliseconds(10), times: 100_000);

        Assert.Equal(Patience.Least, _patience.For(0));
    }

    [Fact]
    public void The_wait_doubles_after_each_abandoned_read_up_to_the_longest_time()
    {
        Wait(TimeSpan.FromMilliseconds(2), times: 100);

        Assert.Equal([1, 2, 4, 8, 16, 20, 20], Enumerable.Range(0, 7).Select(times => _patience.For(times).TotalSeconds));
    }

    [Fact]
    public void The_wait_is_never_longer_than_the_option_allows()
    {
        var impatient = new Patience(TimeSpan.FromMilliseconds(200), _clock);
        impatient.Measure(_clock.GetTimestamp());

        Assert.Equal(TimeSpan.FromMilliseconds(200), impatient.For(0));
    }

    [Fact]
    public void Only_one_of_several_stalled_reads_may_be_abandoned_until_bytes_arrive_again()
    {
        using StallGuard one = Guard(), another = Guard();
        TimeSpan silence = TimeSpan.FromSeconds(1);
        _patience.Arrived();
        _clock.Advance(silence);

        Assert.True(_patience.MayEnd(one, silence));
        Assert.False(_patience.MayEnd(another, silence));
        Assert.True(_patience.MayEnd(one, silence));

        _patience.Arrived();
        Assert.True(_patience.MayEnd(another, silence));
    }

    [Fact]
    public void A_read_that_has_ended_lets_another_stalled_read_be_abandoned()
    {
        using StallGuard one = Guard(), another = Guard();
        TimeSpan silence = TimeSpan.FromSeconds(1);
        Assert.True(_patience.MayEnd(one, silence));

        one.Dispose();

        Assert.True(_patience.MayEnd(another, silence));
    }

    private StallGuard Guard() => new(_patience, _clock);

    private void Wait(TimeSpan wait, int times)
    {
        for (int i = 0; i < times; i++)
        {
            long since = _clock.GetTimestamp();
            _clock.Advance(wait);
            _patience.Measure(since);
        }
    }
}
