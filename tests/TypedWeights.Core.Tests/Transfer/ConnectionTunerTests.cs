using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Tests.Transfer;

public sealed class ConnectionTunerTests
{
    private static readonly double Seconds = ConnectionTuner.Interval.TotalSeconds;

    [Fact]
    public void The_target_reaches_its_maximum_within_half_a_second_if_each_connection_is_limited()
    {
        ConnectionTuner tuner = Tuner(8, 32);

        Run(tuner, observations: (int)(0.5 / Seconds), connections => connections * 20e6);

        Assert.Equal(32, tuner.Target);
    }

    [Fact]
    public void The_target_returns_to_the_minimum_if_more_connections_bring_no_higher_rate()
    {
        ConnectionTuner tuner = Tuner(8, 32);

        Run(tuner, observations: 20, _ => 1.5e9);

        Assert.Equal(8, tuner.Target);
    }

    [Fact]
    public void A_slow_first_observation_does_not_count_as_a_gain_from_more_connections()
    {
        ConnectionTuner tuner = Tuner(8, 32);
        int observation = 0, most = 0;

        // In the first look the connections are still being made (TLS).
        Run(tuner, observations: 20, connections =>
        {
            most = Math.Max(most, connections);
            return ++observation == 1 ? 0.2e9 : 1e9;
        });

        Assert.Equal(8, tuner.Target);
        Assert.Equal(16, most);
    }

    [Fact]
    public void A_short_pause_does_not_stop_the_growth_of_the_target()
    {
        ConnectionTuner tuner = Tuner(8, 32);
        int observation = 0;

        // Two observations after the second growth fall into a pause of the machine.
        Run(tuner, observations: 10, connections => ++observation is 3 or 4 ? 50e6 : connections * 20e6);

        Assert.Equal(32, tuner.Target);
    }

    [Fact]
    public void Growth_that_brought_nothing_is_tried_again_after_increasing_pauses()
    {
        ConnectionTuner tuner = Tuner(8, 32);
        var grownAt = new List<int>();
        int observation = 0;

        Run(tuner, observations: 1000, connections =>
        {
            observation++;
            if (connections > 8 && (grownAt.Count == 0 || observation - grownAt[^1] > 10))
            {
                grownAt.Add(observation);
            }

            return 1e9;
        });

        int[] pauses = [.. grownAt.Skip(1).Zip(grownAt, (next, last) => next - last)];
        Assert.NotEmpty(pauses);
        Assert.Equal(pauses.Order(), pauses);
        Assert.InRange(grownAt.Count, 3, 6);
    }

    [Fact]
    public void Growth_stops_when_more_connections_bring_no_higher_rate()
    {
        ConnectionTuner tuner = Tuner(8, 64);

        Run(tuner, observations: 30, connections => Math.Min(connections, 16) * 20e6);

        Assert.InRange(tuner.Target, 16, 32);
    }

    [Fact]
    public void The_target_grows_to_its_maximum_while_no_byte_has_arrived()
    {
        ConnectionTuner tuner = Tuner(8, 32);

        Run(tuner, observations: 3, _ => 0);

        Assert.Equal(32, tuner.Target);
    }

    [Fact]
    public void Throttling_lowers_the_target_to_one_and_the_target_grows_again_later()
    {
        ConnectionTuner tuner = Tuner(8, 32);

        for (int i = 0; i < 6; i++)
        {
            tuner.Observe(Seconds, 1_000_000, throttles: 3);
        }

        Assert.Equal(1, tuner.Target);
        Run(tuner, observations: 100, connections => connections * 20e6);
        Assert.Equal(32, tuner.Target);
    }

    [Fact]
    public void The_target_falls_at_once_to_the_number_of_connections_that_are_served()
    {
        ConnectionTuner tuner = Tuner(8, 32);
        Run(tuner, observations: 10, connections => connections * 20e6);
        Assert.Equal(32, tuner.Target);

        tuner.Observe(Seconds, 1_000_000, throttles: 0, served: 3);

        Assert.Equal(3, tuner.Target);
        tuner.Observe(Seconds, 1_000_000, throttles: 0, served: 0);
        Assert.Equal(1, tuner.Target);
    }

    [Fact]
    public void The_target_grows_again_after_connections_were_not_served()
    {
        ConnectionTuner tuner = Tuner(8, 32);
        tuner.Observe(Seconds, 1_000_000, throttles: 0, served: 1);

        Run(tuner, observations: 100, connections => connections * 20e6);

        Assert.Equal(32, tuner.Target);
    }

    [Fact]
    public void A_lasting_fall_of_the_rate_adds_connections_and_drops_them_if_they_do_not_help()
    {
        ConnectionTuner tuner = Tuner(8, 32);
        Run(tuner, observations: 10, _ => 1e9);
        Assert.Equal(8, tuner.Target);

        int most = 0;
        Run(tuner, observations: 100, connections =>
        {
            most = Math.Max(most, connections);
            return 0.4e9;
        });

        Assert.InRange(most, 16, 32);
        Assert.Equal(8, tuner.Target);
    }

    [Fact]
    public void A_target_whose_minimum_is_its_maximum_never_changes()
    {
        ConnectionTuner tuner = Tuner(4, 4);

        Run(tuner, observations: 50, connections => connections * 20e6);

        Assert.Equal(4, tuner.Target);
    }

    private static ConnectionTuner Tuner(int min, int max) => new(new ReaderLimits(min, max, IsTuned: true));

    private static void Run(ConnectionTuner tuner, int observations, Func<int, double> bytesPerSecond)
    {
        for (int i = 0; i < observations; i++)
        {
            tuner.Observe(Seconds, (long)(bytesPerSecond(tuner.Target) * Seconds), throttles: 0);
        }
    }
}
