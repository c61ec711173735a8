using TypedWeights.Caching;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Loading.Caching;

/// <summary>A process that is ended at any moment of a cached load leaves a folder from which the next load gives the right bytes.</summary>
public sealed class KillTests : CacheTest
{
    private const int Kills = 50;

    [Fact]
    public async Task Fifty_processes_killed_at_random_moments_damage_no_copy()
    {
        var random = new Random(20);
        int unfinished = 0, resumed = 0;
        Task<ProbeProcess> next = StartAsync();
        for (int i = 0; i < Kills; i++)
        {
            using ProbeProcess child = await next;

            // By the bytes that have been sent, and a moment more: from before the first one to behind the last.
            long at = random.NextInt64(NoiseFile.Bytes.Length + 200_000);
            int more = random.Next(3) == 0 ? random.Next(30) : 0;
            Server.Requests.Clear();
            Server.Answer = request => Paced(request, at);
            await child.GoAsync(null);
            Task<string?> end = child.TryReadAsync("cached");
            await Eventually.BecomesAsync(() => Sent >= at || end.IsCompleted, () => $"{Sent} bytes were sent of {at}");
            await Task.Delay(more, Token);
            await child.KillAsync();
            await end;
            next = i + 1 < Kills ? StartAsync() : next;
            await Server.WaitUntilIdleAsync();

            unfinished += new CacheFolder(Cache).List(Token).Any(static item => !item.IsWhole) ? 1 : 0;
            Server.Requests.Clear();
            Server.Answer = static _ => null;
            if (random.Next(3) == 0)
            {
                // The next one may be ended too.
                continue;
            }

            Assert.True(await LoadAsync());
            resumed += Sent < NoiseFile.Bytes.Length && Sent > 100 ? 1 : 0;
            await AssertCachedAsync();
            await LoadAsync(new() { Cache = CacheMode.Offline });
            Directory.Delete(Cache, recursive: true);
        }

        // Or the moments were none of a load.
        Assert.InRange(unfinished, Kills / 4, Kills);
        Assert.InRange(resumed, 5, Kills);
        Assert.Empty(Log.Warnings);
    }

    private async Task<ProbeProcess> StartAsync()
    {
        var child = ProbeProcess.Start("load", Uri, Cache);
        await child.ReadAsync("ready");
        return child;
    }

    // In small pieces, so that a moment of the load is one of its bytes.
    private Fault Paced(FaultRequest request, long until) => async answer =>
    {
        if (!Respond.Head(answer, answer.Length))
        {
            return;
        }

        for (long done = 0; done < answer.Length;)
        {
            if (Sent > until + 500_000)
            {
                await Task.Delay(20, answer.Aborted);
            }

            long take = Math.Min(16 << 10, answer.Length - done);
            await Respond.WriteAsync(answer, answer.From + done, take);
            await answer.Context.Response.Body.FlushAsync(answer.Aborted);
            done += take;
        }
    };
}
