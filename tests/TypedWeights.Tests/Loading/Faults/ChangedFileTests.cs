namespace TypedWeights.Tests.Loading.Faults;

/// <summary>A file that is another one half-way is an error, whatever the server says of its files, and never a mixture.</summary>
public sealed class ChangedFileTests : FaultTest
{
    private static readonly DateTimeOffset Noon = new(2025, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>What a server tells of the file before and after.</summary>
    public static TheoryData<string> Kinds { get; } =
        ["strong tag", "weak tag", "date", "weak tag and date", "length", "tag gone", "tag came", "strong tag became weak",
            "tag without quotes", "odd date"];

    private static ServedFile Before(string kind) => kind switch
    {
        "strong tag" or "tag gone" or "strong tag became weak" => new(NoiseFile.Bytes, "\"a\""),
        "weak tag" => new(NoiseFile.Bytes, "W/\"a\""),
        "date" => new(NoiseFile.Bytes, Modified: Noon),
        "weak tag and date" => new(NoiseFile.Bytes, "W/\"a\"", Noon),
        "tag without quotes" => new(NoiseFile.Bytes, "a"),
        "odd date" => new(NoiseFile.Bytes) { OddDate = "2025-01-01T12:00:00Z" },
        _ => new(NoiseFile.Bytes),
    };

    private static ServedFile After(string kind) => kind switch
    {
        "strong tag" => new(NoiseFile.OtherBytes, "\"b\""),
        "weak tag" => new(NoiseFile.OtherBytes, "W/\"b\""),
        "date" => new(NoiseFile.OtherBytes, Modified: Noon.AddSeconds(1)),

        // A weak tag holds for files that are alike: date and length may tell them apart where it does not.
        "weak tag and date" => new(NoiseFile.OtherBytes, "W/\"a\"", Noon.AddSeconds(1)),
        "length" => new([.. NoiseFile.OtherBytes, 0]),
        "tag gone" => new(NoiseFile.OtherBytes),
        "tag came" => new(NoiseFile.OtherBytes, "\"b\""),

        // What no rule of HTTP allows is still something to tell files apart by.
        "tag without quotes" => new(NoiseFile.OtherBytes, "b"),
        "odd date" => new(NoiseFile.OtherBytes) { OddDate = "2025-01-01T12:00:01Z" },
        _ => new(NoiseFile.OtherBytes, "W/\"a\""),
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_file_that_changes_between_two_payload_requests_is_an_error(string kind)
    {
        Server.Files["/" + NoiseFile.Name] = Before(kind);
        Server.Answer = request => request.Payload == 5 ? Changing(kind) : null;

        WeightSourceException error = await AssertFailsAsync("replaced|changed");

        Assert.False(error.IsTransient);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_file_that_changes_between_header_and_payload_is_an_error(string kind)
    {
        Server.Files["/" + NoiseFile.Name] = Before(kind);
        Server.Answer = request => request.Payload == 0 ? Changing(kind) : null;

        await AssertFailsAsync("replaced|changed");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_file_that_changes_before_a_read_is_resumed_is_an_error(string kind)
    {
        Server.Files["/" + NoiseFile.Name] = Before(kind);
        TransferOptions oneByOne = Quick with { MinConnections = 1, MaxConnections = 1 };
        long last = NoiseFile.Bytes.Length - 1;
        Server.Answer = request => request.To != last
            ? null
            : request.Attempt == 0 ? Respond.TruncateAfter(1000) : Changing(kind);

        await AssertFailsAsync("replaced|changed", oneByOne);

        Assert.Equal(2, Server.Payloads.Count(request => request.To == last));
    }

    [Fact]
    public async Task A_changed_strong_ETag_is_an_error_although_the_server_ignores_If_Match()
    {
        var after = new ServedFile(NoiseFile.OtherBytes, "\"b\"");
        Server.Answer = request => request.Payload == 5
            ? async deaf =>
            {
                var other = new FaultRequest(deaf.Context, after, deaf.Aborted);
                deaf.Context.Response.StatusCode = 206;
                deaf.Context.Response.Headers.ETag = after.Tag;
                deaf.Context.Response.Headers.ContentRange = $"bytes {deaf.From}-{deaf.To}/{after.Bytes.Length}";
                deaf.Context.Response.ContentLength = deaf.Length;
                await Respond.WriteAsync(other, deaf.From, deaf.Length);
            }
        : null;

        await AssertFailsAsync("replaced|changed");
    }

    [Theory]
    [InlineData("Wednesday, 01-Jan-25 12:00:00 GMT")]
    [InlineData("Wed Jan  1 12:00:00 2025")]
    public async Task The_same_Last_Modified_date_in_another_HTTP_format_is_no_change(string date)
    {
        Server.Files["/" + NoiseFile.Name] = new(NoiseFile.Bytes, Modified: Noon);
        Server.Answer = request => request.Payload == 5 ? Respond.After(() => Put(new(NoiseFile.Bytes) { OddDate = date }), Served) : null;

        await AssertLoadsAsync();
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("\"tag\"", false)]
    public async Task A_load_warns_about_a_server_that_sends_no_validator(string? tag, bool isWarned)
    {
        Server.Files["/" + NoiseFile.Name] = new(NoiseFile.Bytes, tag);
        using var log = new LineLogger();
        await using WeightLoader loader = new WeightLoaderBuilder().UseTransferOptions(Quick).UseLogging(log).Build();

        using WeightSet weights = await loader.LoadTensorsAsync(Uri, cancellationToken: TestContext.Current.CancellationToken);

        NoiseFile.AssertIn(weights);
        Assert.Equal(isWarned, log.Lines.Contains(
            Uri + ": the server sends neither an ETag nor a Last-Modified: if the file is replaced by one of the same length during the load, "
                + "only Verification.Digests detects it."));
    }

    [Fact]
    public async Task A_file_that_became_shorter_is_an_error_that_says_it_changed()
    {
        Server.Files["/" + NoiseFile.Name] = new(NoiseFile.Bytes);
        Server.Answer = request => request.Payload == 0 ? Respond.After(() => Put(new(NoiseFile.Bytes[..2000])), Respond.Serve) : null;

        await AssertFailsAsync("replaced|changed|shorter");
    }

    private Fault Changing(string kind) => Respond.After(() => Put(After(kind)), Served);

    // The request found the old file; this answers it from what is there now.
    private Task Served(FaultRequest request) =>
        Respond.Serve(new FaultRequest(request.Context, Server.Files["/" + NoiseFile.Name], request.Aborted));

    private Task Put(ServedFile file)
    {
        Server.Files["/" + NoiseFile.Name] = file;
        return Task.CompletedTask;
    }
}
