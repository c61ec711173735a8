namespace TypedWeights.Tests.Loading.Faults;

/// <summary>Answers that are not what was asked for are refused by name, in the opening and in the middle.</summary>
public sealed class WrongAnswerTests : FaultTest
{
    private const string LoginPage = "<!DOCTYPE html><html><body>Please log in.</body></html>";

    private const string Pointer =
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e\nsize 12345\n";

    public static TheoryData<string, string> ContentRanges { get; } = new()
    {
        { "none", "without a Content-Range" },
        { "another unit", "Content-Range" },
        { "another start", "Content-Range" },
        { "another end", "Content-Range" },
        { "no bounds", "Content-Range" },
        { "nonsense", "Content-Range" },
    };

    private static Fault ContentRange(string kind) => Respond.ContentRange(request => kind switch
    {
        "none" => null,
        "another unit" => $"items {request.From}-{request.To}/{NoiseFile.Bytes.Length}",
        "another start" => $"bytes {request.From + 1}-{request.To + 1}/{NoiseFile.Bytes.Length}",
        "another end" => $"bytes {request.From}-{request.To - 1}/{NoiseFile.Bytes.Length}",
        "no length" => $"bytes {request.From}-{request.To}/*",
        "no bounds" => $"bytes */{NoiseFile.Bytes.Length}",
        _ => "bytes of mine",
    });

    [Theory]
    [MemberData(nameof(ContentRanges))]
    public async Task A_missing_or_wrong_Content_Range_in_the_opening_response_is_an_error(string kind, string expected)
    {
        Server.Answer = _ => ContentRange(kind);

        await AssertFailsAsync(expected);
    }

    [Fact]
    public async Task An_opening_response_without_the_length_of_the_file_is_an_error()
    {
        Server.Answer = _ => ContentRange("no length");

        await AssertFailsAsync("does not state the length of the file.*Content-Range");
    }

    [Fact]
    public async Task A_later_response_may_leave_out_the_length_of_the_file()
    {
        Server.Answer = request => request.Payload >= 2 ? ContentRange("no length") : null;

        await AssertLoadsAsync();
    }

    [Theory]
    [MemberData(nameof(ContentRanges))]
    public async Task A_missing_or_wrong_Content_Range_in_a_later_response_is_an_error(string kind, string expected)
    {
        Server.Answer = request => request.Payload >= 2 ? ContentRange(kind) : null;

        await AssertFailsAsync(expected);
    }

    [Theory]
    [InlineData(+1, false)]
    [InlineData(+1, true)]
    [InlineData(+100_000, false)]
    [InlineData(+100_000, true)]
    [InlineData(-1, false)]
    public async Task A_body_with_more_or_fewer_bytes_than_its_range_is_an_error(int surplus, bool chunked)
    {
        Server.Answer = request => request.Payload >= 2 ? Respond.Surplus(surplus, chunked) : null;

        await AssertFailsAsync(surplus > 0 ? "more|longer|too many|bytes" : "fewer|shorter|less|bytes");
    }

    [Fact]
    public async Task Chunked_bodies_that_always_end_before_the_first_byte_are_an_error_after_the_attempts()
    {
        Server.Answer = request => request.Payload >= 2 ? Respond.EndAfter(0) : null;

        await AssertFailsAsync(@"ended.*\b4 (times|attempts|tries)|\b4 (times|attempts|tries).*ended");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public async Task A_compressed_body_is_an_error_that_names_the_compression(int from)
    {
        Server.Answer = request => request.Index >= from ? Respond.Compress : null;

        await AssertFailsAsync("compress.*gzip");
    }

    [Fact]
    public async Task A_login_page_in_place_of_the_file_is_an_error_that_says_HTML()
    {
        Server.Answer = _ => Respond.Text(LoginPage, "text/html; charset=utf-8");

        await AssertFailsAsync<WeightsException>("HTML");
    }

    [Fact]
    public async Task A_Git_LFS_pointer_from_a_server_without_ranges_is_an_error_that_says_so()
    {
        Server.Answer = _ => Respond.Text(Pointer, "text/plain");

        await AssertFailsAsync<WeightsException>("LFS pointer");
    }

    [Fact]
    public async Task A_Git_LFS_pointer_from_a_server_with_ranges_is_an_error_that_says_so()
    {
        Server.Files["/" + NoiseFile.Name] = ServedFile.Strong(System.Text.Encoding.UTF8.GetBytes(Pointer));

        await AssertFailsAsync<WeightsException>("LFS pointer");
    }

    [Fact]
    public async Task A_login_page_in_place_of_a_range_is_an_error()
    {
        Server.Answer = request => request.Payload >= 2 ? Respond.Text(LoginPage, "text/html") : null;

        await AssertFailsAsync<WeightsException>("HTML|200");
    }
}
