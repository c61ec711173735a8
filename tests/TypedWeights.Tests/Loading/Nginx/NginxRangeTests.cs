using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Loading.Nginx;

/// <summary>How files come from nginx: in ranges, or in one piece where it has been told to ignore them.</summary>
public sealed class NginxRangeTests : NginxTest
{
    [Fact]
    public async Task Ranges_transfer_each_byte_of_the_file_exactly_once()
    {
        await using NginxServer nginx = await StartAsync();

        await AssertLoadsAsync(Uri(nginx));

        await nginx.WaitForRequestsAsync(4);
        Assert.All(nginx.Requests, request => Assert.Equal(
            (206, "GET", "identity"), (request.Status, request.Method, request.AcceptEncoding)));
        Assert.Equal(NoiseFile.Bytes.Length, nginx.Requests.Sum(request => request.Sent));
        Assert.All(nginx.Requests.Where(request => !request.Range.StartsWith("bytes=0-", StringComparison.Ordinal)), request =>
            Assert.Matches("^\"[0-9a-f]+-[0-9a-f]+\"$", request.IfMatch));
    }

    [Fact]
    public async Task A_server_that_ignores_ranges_is_read_once()
    {
        await using NginxServer nginx = await StartAsync("max_ranges 0;");

        await AssertLoadsAsync(Uri(nginx));

        await nginx.WaitForRequestsAsync(1);
        NginxRequest only = Assert.Single(nginx.Requests);
        Assert.Equal((200, NoiseFile.Bytes.Length), (only.Status, only.Sent));
    }

    [Fact]
    public async Task A_typed_load_requests_the_header_once_beside_the_payload()
    {
        await using NginxServer nginx = await StartAsync();
        await using WeightLoader loader = Loader();

        using NoiseModel model = await loader.LoadAsync<NoiseModel>(
            Uri(nginx), cancellationToken: TestContext.Current.CancellationToken);

        NoiseFile.AssertIn(model.Weights);
        await nginx.WaitForRequestsAsync(4);
        Assert.Single(nginx.Requests, request => request.Range.StartsWith("bytes=0-", StringComparison.Ordinal));
        Assert.Equal(NoiseFile.Bytes.Length, nginx.Requests.Sum(request => request.Sent));
    }

    [Fact]
    public async Task A_file_that_is_replaced_between_two_requests_is_an_error()
    {
        await using NginxServer nginx = await StartAsync();
        await using WeightLoader loader = Loader(Quick with { MinConnections = 1, MaxConnections = 1, BytesPerSecond = 8_000_000 });
        Task<WeightSet> load = loader.LoadTensorsAsync(Uri(nginx), cancellationToken: TestContext.Current.CancellationToken);
        await nginx.WaitForRequestsAsync(2);

        nginx.Replace(NoiseFile.Name, [.. NoiseFile.OtherBytes, 0]);

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => load);
        Assert.Contains("replaced", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_absent_file_is_reported_as_not_found()
    {
        await using NginxServer nginx = await StartAsync();

        WeightSourceException error = await AssertFailsAsync("404", $"{nginx.Address}/other.safetensors");

        Assert.True(error.IsNotFound);
    }
}
