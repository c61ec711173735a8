using TypedWeights.Bench;
using TypedWeights.Bench.Files;

if (args is ["fresh", string name, string path])
{
    return await FreshProcess.ReportAsync(name, path);
}

if (args is ["measure", string measured, ..])
{
    string? url = Option("--url", "") is { Length: > 0 } given ? given : null;
    return await Sections.MeasureAsync(new Measurement(measured, Rounds(), Option("--folder", "."), url));
}

if (args is [string asked, ..] && (asked == "all" || Sections.Names.Contains(asked)) && Rounds() > 0)
{
    return await BenchRun.RunAsync(asked == "all" ? Sections.Names : [asked], Rounds(), Option("--folder", Path.GetTempPath()));
}

Console.Error.WriteLine("""
    all      all sections below, one after the other (about a quarter of an hour)
    file     a file in the page cache, against C; peak memory, garbage
    peers    the same against TorchSharp.PyBridge and code written by hand, in speed and peak memory
    first    the first load of a process, from a file and from nginx, against TorchSharp.PyBridge and a bare HttpClient
    cold     a file that the page cache has dropped, against C
    http     nginx on the loopback, against four curl processes and a bare HttpClient
    https    the same over TLS
    paced    a server that limits each connection to 20 MB/s, against 32 plain clients
    s3       objects for which every request is signed, against plain HTTP from the same server
    cache    from HTTP into the local cache and from the cache, against loads without a cache
    tiny     1,000 tiny tensors, against 1,000 calls of torch.empty
    digests  a load that checks the SHA-256 of every tensor, against one that does not
    micro    header parsing and planning (BenchmarkDotNet)

    --rounds 7       how many rounds count, after one that does not
    --folder DIR     where the file of 2.1 GB is created and then removed: a disk, not memory
    """);
return 2;

string Option(string option, string fallback) =>
    Array.IndexOf(args, option) is int at && at >= 0 && at + 1 < args.Length ? args[at + 1] : fallback;

int Rounds() => int.TryParse(Option("--rounds", "7"), out int rounds) ? rounds : 0;
