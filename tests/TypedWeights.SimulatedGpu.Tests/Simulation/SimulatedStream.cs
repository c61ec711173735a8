namespace TypedWeights.Tests.Simulation;

/// <summary>A stream: work that runs in order on a thread of its own, each piece after a pause that the seed decides.</summary>
internal sealed class SimulatedStream
{
    private readonly Queue<(Action Work, bool IsSlow)> _queue = new();
    private readonly Random _random;
    private bool _isEnding;
    private Thread? _thread;
    private bool _isRunning;

    public SimulatedStream(SimulatedDevice device, int id, int seed)
    {
        Device = device;
        Id = id;
        _random = new Random(HashCode.Combine(seed, id));
    }

    public SimulatedDevice Device { get; }

    public int Id { get; }

    /// <summary>What is done before the next piece of work begins, by the rules alone. The world's to change.</summary>
    public SimulatedClock Clock { get; } = new();

    /// <summary>How many pieces of work there were. The world's to change.</summary>
    public long Count { get; set; }

    /// <summary>Puts a piece of work into it.</summary>
    public void Enqueue(Action work, bool isSlow = false)
    {
        lock (_queue)
        {
            _queue.Enqueue((work, isSlow));
            // A thread that was told to end may have, and something comes all the same.
            if (_thread is null || !_isRunning)
            {
                _isRunning = true;
                _thread = new Thread(Run) { IsBackground = true, Name = $"simulated stream {Id}" };
                _thread.Start();
            }

            Monitor.PulseAll(_queue);
        }
    }

    /// <summary>Lets the thread end once the work is done.</summary>
    public void End()
    {
        lock (_queue)
        {
            _isEnding = true;
            Monitor.PulseAll(_queue);
        }
    }

    /// <summary>Ends it, and returns when it has.</summary>
    public void Join()
    {
        End();
        _thread?.Join();
    }

    private void Run()
    {
        while (true)
        {
            (Action Work, bool IsSlow) next;
            lock (_queue)
            {
                while (_queue.Count == 0)
                {
                    if (_isEnding)
                    {
                        _isRunning = false;
                        return;
                    }

                    Monitor.Wait(_queue);
                }

                next = _queue.Dequeue();
            }

            Pause(next.IsSlow);
            next.Work();
        }
    }

    private void Pause(bool isSlow)
    {
        int dice = _random.Next(100);
        if (isSlow && dice < 5)
        {
            Thread.Sleep(1);
        }
        else if (dice < 6)
        {
            Thread.Sleep(_random.Next(2));
        }
        else if (dice < 15)
        {
            Thread.Yield();
        }
        else if (dice < 40)
        {
            Thread.SpinWait(_random.Next(2000));
        }
    }
}
