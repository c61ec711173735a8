using TypedWeights.Transfer.Retry;

namespace TypedWeights.Tests.Streaming;

public sealed class PatienceTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    private readonly HandClock _clock = new();
    private readonly Patience _patience;

    public PatienceTests() => _patience = new Patience(Longest, _clock);

    [Fact]
    public void Before_anything_has_come_the_whole_time_is_waited()
    {
        Assert.Equal(Longest, _patience.For(0));
        Assert.Equal(Longest, _patience.For(3));
    }

    [Fact]
    public void A_server_whose_bytes_come_at_once_is_given_the_least()
    {
        Wait(TimeSpan.FromMilliseconds(2), times: 100);

        Assert.Equal(Patience.Least, _patience.For(0));
    }

    [Fact]
    public void One_that_always_takes_its_time_is_given_a_small_multiple_of_that()
    {
        Wait(TimeSpan.FromSeconds(1), times: 100);

        Assert.InRange(_patience.For(0), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void A_server_that_sends_in_bursts_is_measured_by_the_waits_between_them()
    {
        for (int burst = 0; burst < 20; burst++)
        {
            Wait(TimeSpan.FromMilliseconds(1), times: 200);
            Wait(TimeSpan.FromSeconds(1), times: 1);
        }

        Assert.InRange(_patience.For(0), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void A_pause_of_the_whole_server_is_not_taken_for_its_usual_way()
    {
        Wait(TimeSpan.FromMilliseconds(10), times: 10_000);

        Wait(TimeSpan.FromSeconds(10), times: 8);

        Assert.Equal(Patience.Least, _patience.For(0));
    }

    [Fact]
    public void What_is_usual_is_what_was_usual_lately()
    {
        Wait(TimeSpan.FromSeconds(2), times: 100);
        Assert.InRange(_patience.For(0), TimeSpan.FromSeconds(6), Longest);

        Wait(TimeSpan.FromMilliseconds(10), times: 100_000);

        Assert.Equal(Patience.Least, _patience.For(0));
    }

    [Fact]
    public void It_doubles_each_time_that_a_read_was_given_up_and_ends_at_the_whole_time()
    {
        Wait(TimeSpan.FromMilliseconds(2), times: 100);

        Assert.Equal([1, 2, 4, 8, 16, 20, 20], Enumerable.Range(0, 7).Select(times => _patience.For(times).TotalSeconds));
    }

    [Fact]
    public void It_is_never_longer_than_the_option_says()
    {
        var impatient = new Patience(TimeSpan.FromMilliseconds(200), _clock);
        impatient.Measure(_clock.GetTimestamp());

        Assert.Equal(TimeSpan.FromMilliseconds(200), impatient.For(0));
    }

    [Fact]
    public void Of_reads_that_are_all_silent_one_is_given_up_and_the_others_wait_for_what_comes_of_it()
    {
        using StallGuard one = Guard(), another = Guard();
        TimeSpan silence = TimeSpan.FromSeconds(1);
        _patience.Arrived();
        _clock.Advance(silence);

        Assert.True(_patience.MayGiveUp(one, silence));
        Assert.False(_patience.MayGiveUp(another, silence));
        Assert.True(_patience.MayGiveUp(one, silence));

        _patience.Arrived();
        Assert.True(_patience.MayGiveUp(another, silence));
    }

    [Fact]
    public void A_read_that_is_over_leaves_the_trial_to_another()
    {
        using StallGuard one = Guard(), another = Guard();
        TimeSpan silence = TimeSpan.FromSeconds(1);
        Assert.True(_patience.MayGiveUp(one, silence));

        one.Leave();

        Assert.True(_patience.MayGiveUp(another, silence));
    }

    private StallGuard Guard()
    {
        var guard = new StallGuard(_clock);
        guard.Serve(_patience);
        return guard;
    }

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
