namespace TypedWeights.Tests.Loading.Faults;

/// <summary>What requests say of the file that they want.</summary>
public sealed class ValidatorTests : FaultTest
{
    [Fact]
    public async Task A_strong_ETag_is_sent_with_every_request_after_the_first()
    {
        await AssertLoadsAsync();

        string tag = Server.Files.Values.Single().Tag!;
        Assert.Null(Server.Requests.First().IfMatch);
        Assert.All(Server.Requests.Skip(1), request => Assert.Equal(tag, request.IfMatch));
    }

    [Theory]
    [InlineData("W/\"a\"")]
    [InlineData(null)]
    public async Task A_weak_ETag_is_never_sent_as_If_Match(string? tag)
    {
        Server.Files["/" + NoiseFile.Name] = new(NoiseFile.Bytes, tag, DateTimeOffset.UnixEpoch);
        Server.Answer = request => request.Payload == 2 ? Respond.TruncateAfter(10) : null;

        await AssertLoadsAsync();

        Assert.All(Server.Requests, request => Assert.Null(request.IfMatch));
    }

    [Fact]
    public async Task Every_request_names_a_range_and_accepts_no_compression()
    {
        await AssertLoadsAsync();

        Assert.All(Server.Requests, request => Assert.Equal("identity", request.AcceptEncoding));
        Assert.All(Server.Requests, request => Assert.NotNull(request.Range));
    }
}
