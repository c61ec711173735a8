using System.Globalization;

namespace TypedWeights.Tests.Loading.Faults;

/// <summary>What comes from sockets without a web server behind them.</summary>
public sealed class RawServerTests : IAsyncLifetime
{
    private static readonly TransferOptions Quick = new()
    {
        MinConnections = 2,
        MaxConnections = 2,
        PartSize = 256 << 10,
        StallTimeout = TimeSpan.FromMilliseconds(1500),
        RetryDelay = TimeSpan.FromMilliseconds(10),
        Attempts = 3,
    };

    private readonly RawServer _server = new(NoiseFile.Bytes);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_file_loads_from_the_raw_server_without_faults() => await AssertLoadsAsync();

    [Theory]
    [InlineData("HTTP/1.1")]
    [InlineData("HTTP/1.0")]
    public async Task A_body_without_a_length_that_ends_with_its_connection_is_read(string version)
    {
        _server.Answer = async (connection, token) =>
        {
            await connection.SendAsync(
                $"{version} 206 Partial Content\r\nETag: \"raw\"\r\nConnection: close\r\n"
                    + $"Content-Range: bytes {connection.From}-{connection.To}/{NoiseFile.Bytes.Length}\r\n\r\n",
                token);

            // Now and then it ends too early.
            await connection.SendBodyAsync(connection.Index % 3 == 2 ? connection.Length / 2 : connection.Length, token);
            return true;
        };

        await AssertLoadsAsync();
    }

    [Theory]
    [InlineData("5")]
    [InlineData("99999999")]
    public async Task A_chunked_body_ends_with_its_last_chunk_whatever_its_Content_Length_says(string length)
    {
        _server.Answer = async (connection, token) =>
        {
            await connection.SendAsync(
                $"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n{NoiseFile.Bytes.Length:x}\r\n", token);
            await connection.SendAsync(NoiseFile.Bytes, token);
            await connection.SendAsync("\r\n0\r\n\r\n", token);
            return true;
        };

        await AssertLoadsAsync();
    }

    [Theory]
    [InlineData(200, false)]
    [InlineData(200, true)]
    [InlineData(206, false)]
    [InlineData(206, true)]
    public async Task A_response_with_several_content_lengths_is_an_error_that_is_not_transient(int status, bool inOneHeader)
    {
        _server.Answer = async (connection, token) =>
        {
            string right = (status == 200 ? NoiseFile.Bytes.Length : connection.Length).ToString(CultureInfo.InvariantCulture);
            await connection.SendAsync(
                $"HTTP/1.1 {status} OK\r\nContent-Range: bytes {connection.From}-{connection.To}/{NoiseFile.Bytes.Length}\r\n"
                    + (inOneHeader ? $"Content-Length: 5, {right}" : $"Content-Length: 5\r\nContent-Length: {right}") + "\r\n\r\n",
                token);
            await connection.SendAsync(status == 200 ? NoiseFile.Bytes : NoiseFile.Bytes.AsMemory(connection.From, connection.Length), token);
            return true;
        };

        WeightSourceException error = await AssertFailsAsync();

        Assert.Matches("announced more than one length of the body .Content-Length: 5, [0-9]+.", error.Message);
        Assert.False(error.IsTransient);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")]
    [InlineData("\0\0\0\0\0\0\0\0")]
    [InlineData("HTTP/1.1 206\r\nContent-Range bytes 0-7/100\r\n\r\n")]
    [InlineData("HTTP/1.1 two hundred OK\r\n\r\n")]
    public async Task A_response_that_is_not_HTTP_is_an_error_that_names_the_address(string garbage)
    {
        _server.Answer = async (connection, token) =>
        {
            await connection.SendAsync(garbage, token);
            return true;
        };

        WeightSourceException error = await AssertFailsAsync();

        Assert.StartsWith(_server.Address, error.Message, StringComparison.Ordinal);
        Assert.Matches("(?i)HTTP|answer|request failed", error.Message);
    }

    [Fact]
    public async Task A_response_head_that_is_too_long_is_an_error()
    {
        _server.Answer = async (connection, token) =>
        {
            await connection.SendAsync("HTTP/1.1 206 Partial Content\r\n", token);
            for (int i = 0; i < 100; i++)
            {
                await connection.SendAsync($"X-{i}: {new string('x', 1000)}\r\n", token);
            }

            return true;
        };

        await AssertFailsAsync();
    }

    [Theory]
    [InlineData("close")]
    [InlineData("close after the head")]
    [InlineData("close in the head")]
    [InlineData("close in the body")]
    [InlineData("reset")]
    [InlineData("reset after the head")]
    [InlineData("reset in the body")]
    [InlineData("drip")]
    [InlineData("stop in the head")]
    public async Task Connections_that_break_or_stall_are_retried(string fault)
    {
        // The opening, and some of the payload.
        _server.Answer = async (connection, token) => connection.Index is 0 or 4 or 5 && await FailAsync(connection, fault, token);

        await AssertLoadsAsync();

        Assert.True(_server.Requests > 6);
    }

    [Theory]
    [InlineData("close")]
    [InlineData("close after the head")]
    [InlineData("reset")]
    [InlineData("reset after the head")]
    [InlineData("stop in the head")]
    public async Task Connections_that_always_break_or_stall_are_an_error_that_counts_the_attempts(string fault)
    {
        _server.Answer = (connection, token) => FailAsync(connection, fault, token);

        WeightSourceException error = await AssertFailsAsync();

        // The platform's client repeats, three times each, a request whose connection ends before the first byte of an answer.
        Assert.InRange(_server.Requests, 3, 3 * 4);
        Assert.True(error.Message.Contains("3 attempts", StringComparison.Ordinal), error.Message);
        Assert.True(error.IsTransient);
    }

    [Fact]
    public async Task A_reset_in_every_range_leaves_every_byte_in_its_place()
    {
        var cut = new HashSet<int>();
        _server.Answer = async (connection, token) =>
        {
            bool isFirst;
            lock (cut)
            {
                isFirst = connection.Length > 40_000 && cut.Add(connection.To);
            }

            return isFirst && await FailAsync(connection, "reset in the body", token);
        };

        await AssertLoadsAsync();

        Assert.NotEmpty(cut);
    }

    [Fact]
    public async Task A_body_that_arrives_byte_by_byte_is_no_stall()
    {
        byte[] small = TestFile.Bytes([TestFile.F32("a", [2], 1, 2)]);
        await using var server = new RawServer(small)
        {
            Answer = async (connection, token) =>
            {
                await connection.SendHeadAsync(token);
                await connection.DripAsync(TimeSpan.FromMilliseconds(5), token);
                return true;
            },
        };

        using WeightSet weights = await LoadAsync(server.Address);

        Assert.Equal(2f, weights["a"][1].item<float>());
    }

    private static async Task<bool> FailAsync(RawConnection connection, string fault, CancellationToken token)
    {
        if (fault.EndsWith("after the head", StringComparison.Ordinal) || fault.EndsWith("in the body", StringComparison.Ordinal))
        {
            await connection.SendHeadAsync(token);
        }

        switch (fault)
        {
            case "close in the head":
                await connection.SendAsync("HTTP/1.1 206 Partial Con", token);
                break;
            case "close in the body" or "reset in the body":
                await connection.SendBodyAsync(connection.Length / 2, token);

                // A reset throws away what the client has not read.
                await Task.Delay(20, token);
                break;
            case "drip":
                await connection.SendHeadAsync(token);
                await connection.DripAsync(TimeSpan.FromSeconds(5), token);
                break;
            case "stop in the head":
                await connection.SendAsync("HTTP/1.1 206 Partial Content\r\n", token);
                await connection.WaitForCloseAsync(token);
                break;
        }

        if (fault.StartsWith("reset", StringComparison.Ordinal))
        {
            connection.Reset();
        }

        return true;
    }

    private async Task AssertLoadsAsync()
    {
        long before = NativeTensors.Count();
        using (WeightSet weights = await LoadAsync(_server.Address))
        {
            NoiseFile.AssertIn(weights);
        }

        NativeTensors.AssertNoneSince(before);
        await _server.WaitUntilDisconnectedAsync();
    }

    private async Task<WeightSourceException> AssertFailsAsync()
    {
        long before = NativeTensors.Count();
        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => LoadAsync(_server.Address));
        NativeTensors.AssertNoneSince(before);
        await _server.WaitUntilDisconnectedAsync();
        return error;
    }

    private static async Task<WeightSet> LoadAsync(string address)
    {
        await using WeightLoader loader = new WeightLoaderBuilder().UseTransferOptions(Quick).Build();
        return await loader.LoadTensorsAsync($"{address}/{NoiseFile.Name}", cancellationToken: TestContext.Current.CancellationToken);
    }
}
