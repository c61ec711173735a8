using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Tests.Streaming;

public sealed class ConnectionTunerTests
{
    private static readonly double Seconds = ConnectionTuner.Interval.TotalSeconds;

    [Fact]
    public void Connections_that_are_paced_one_by_one_are_at_their_most_within_half_a_second()
    {
        ConnectionTuner tuner = Tuner(8, 32);

        Run(tuner, observations: (int)(0.5 / Seconds), connections => connections * 20e6);

        Assert.Equal(32, tuner.Target);
    }

    [Fact]
    public void A_server_that_gives_no_more_to_more_connections_is_left_with_the_fewest()
    {
        ConnectionTuner tuner = Tuner(8, 32);

        Run(tuner, observations: 20, _ => 1.5e9);

        Assert.Equal(8, tuner.Target);
    }

    [Fact]
    public void The_first_bytes_come_slowly_for_another_reason_than_too_few_connections()
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
    public void A_hiccup_is_not_taken_for_a_server_that_gives_no_more()
    {
        ConnectionTuner tuner = Tuner(8, 32);
        int observation = 0;

        // Two observations after the second growth fall into a pause of the machine.
        Run(tuner, observations: 10, connections => ++observation is 3 or 4 ? 50e6 : connections * 20e6);

        Assert.Equal(32, tuner.Target);
    }

    [Fact]
    public void What_was_in_vain_is_tried_again_later_and_ever_more_rarely()
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
    public void Growth_stops_where_it_stops_paying()
    {
        ConnectionTuner tuner = Tuner(8, 64);

        Run(tuner, observations: 30, connections => Math.Min(connections, 16) * 20e6);

        Assert.InRange(tuner.Target, 16, 32);
    }

    [Fact]
    public void A_server_that_takes_its_time_for_the_first_byte_is_not_waited_for_with_few()
    {
        ConnectionTuner tuner = Tuner(8, 32);

        Run(tuner, observations: 3, _ => 0);

        Assert.Equal(32, tuner.Target);
    }

    [Fact]
    public void A_server_that_asks_for_less_gets_down_to_one_and_later_more_again()
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
    public void Connections_that_get_no_answer_while_others_do_are_given_back_at_once()
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
    public void They_are_tried_again_later()
    {
        ConnectionTuner tuner = Tuner(8, 32);
        tuner.Observe(Seconds, 1_000_000, throttles: 0, served: 1);

        Run(tuner, observations: 100, connections => connections * 20e6);

        Assert.Equal(32, tuner.Target);
    }

    [Fact]
    public void A_rate_that_falls_for_long_is_answered_with_more_connections_and_taken_back_if_they_do_not_help()
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
    public void A_fixed_number_stays()
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
