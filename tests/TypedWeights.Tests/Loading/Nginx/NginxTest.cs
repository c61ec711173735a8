using System.Text.RegularExpressions;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Loading.Nginx;

/// <summary>The noise file behind nginx.</summary>
public abstract class NginxTest
{
    private protected static TransferOptions Quick { get; } = new()
    {
        MinConnections = 4,
        MaxConnections = 4,
        PartSize = 512 << 10,
        RetryDelay = TimeSpan.FromMilliseconds(30),
    };

    private protected static IReadOnlyDictionary<string, byte[]> Files { get; } =
        new Dictionary<string, byte[]> { [NoiseFile.Name] = NoiseFile.Bytes };

    private protected static Task<NginxServer> StartAsync(string server = "", string http = "") =>
        NginxServer.StartAsync(Files, server, http);

    private protected static string Uri(NginxServer nginx) => $"{nginx.Address}/{NoiseFile.Name}";

    private protected static async Task AssertLoadsAsync(string uri, TransferOptions? options = null, HttpOptions? http = null)
    {
        long before = NativeTensors.Count();
        await using WeightLoader loader = Loader(options, http);
        using (WeightSet weights = await loader.LoadTensorsAsync(uri, cancellationToken: TestContext.Current.CancellationToken))
        {
            NoiseFile.AssertIn(weights);
        }

        NativeTensors.AssertNoneSince(before);
    }

    private protected static async Task<WeightSourceException> AssertFailsAsync(
        string pattern, string uri, TransferOptions? options = null, HttpOptions? http = null)
    {
        long before = NativeTensors.Count();
        await using WeightLoader loader = Loader(options, http);
        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => loader.LoadTensorsAsync(uri, cancellationToken: TestContext.Current.CancellationToken));
        NativeTensors.AssertNoneSince(before);
        Assert.StartsWith(uri, error.Message, StringComparison.Ordinal);
        Assert.True(Regex.IsMatch(error.Message, pattern, RegexOptions.IgnoreCase), error.Message);
        return error;
    }

    private protected static WeightLoader Loader(TransferOptions? options = null, HttpOptions? http = null) =>
        new WeightLoaderBuilder().UseTransferOptions(options ?? Quick).UseHttp(http ?? new HttpOptions()).Build();
}
