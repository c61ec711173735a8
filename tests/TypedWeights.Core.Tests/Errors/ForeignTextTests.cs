using System.Net.Http.Headers;
using System.Text;
using TypedWeights.Checkpoints;
using TypedWeights.Errors;
using TypedWeights.Sources;

namespace TypedWeights.Tests.Errors;

public sealed class ForeignTextTests
{
    [Theory]
    [InlineData("no Bearer abcdefghIJKL1234 here", "no *** here")]
    [InlineData("token=ABCDEFGHijkl1234", "token=***")]
    [InlineData("abcdefghIJ was cut", "*** was cut")]
    [InlineData("IJKL1234... is its end", "***... is its end")]
    [InlineData("a%62cdefghIJKL%31234", "***")]
    [InlineData("&#97;bcdefgh&#x49;JKL1234", "***")]
    [InlineData("\\u0061bcdefghIJKL1234", "***")]
    [InlineData("Service Unavailable", "Service Unavailable")]
    [InlineData("a bearer token is wanted", "a bearer token is wanted")]
    public void A_token_is_removed_in_every_spelling(string text, string expected) => Assert.Equal(
        expected,
        ForeignText.Show(text, Request(request => request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "abcdefghIJKL1234"))));

    [Theory]
    [InlineData("ada:on", "the login is on, not often", "the login is ***, not often")]
    [InlineData("ada:on", "ada:on", "***")]
    [InlineData("ada:pass", "compass", "com***")]
    [InlineData("ada:pä§§", "p\u00C3\u00A4\u00C2\u00A7\u00C2\u00A7 is wrong", "*** is wrong")]
    [InlineData("ada:!?$", "really!?", "really!?")]
    [InlineData("ada:", "ada is a token here", "*** is a token here")]
    [InlineData("ada:longer password", "ada is a name here", "ada is a name here")]
    public void A_password_is_removed_and_a_very_short_password_only_as_a_whole_word(string login, string text, string expected)
    {
        string base64 = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(login));

        Assert.Equal(
            expected, ForeignText.Show(text, Request(request => request.Headers.Authorization = new AuthenticationHeaderValue("Basic", base64))));
    }

    public static TheoryData<string> Encodings
    {
        get
        {
            const string Token = "hf_abcdefghIJKL1234";
            byte[] bytes = Encoding.UTF8.GetBytes(Token);
            string base64 = Convert.ToBase64String(bytes);
            var data = new TheoryData<string>
            {
                Convert.ToHexString(bytes),
                BitConverter.ToString(bytes),
                BitConverter.ToString(bytes).Replace('-', ' ').ToLowerInvariant(),
                string.Concat(bytes.Select(static value => "\\" + Convert.ToString(value, 8))),
                string.Concat(bytes.Select(static value => $"={value:X2}")),
                Convert.ToBase64String(Encoding.UTF8.GetBytes(base64)),
                new string([.. Token.Reverse()]),
                new string([.. Token.Select(static c => char.IsAsciiLetterLower(c) ? (char)('a' + ((c - 'a' + 13) % 26)) : c)]),
            };
            foreach (string before in (string[])["", "x", "xy", "{\"pw\":\""])
            {
                data.Add(Convert.ToBase64String(Encoding.UTF8.GetBytes(before + Token + "\"}")));
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Encodings))]
    public void A_token_is_removed_in_every_encoding_and_the_words_around_it_stay(string encoded)
    {
        HttpRequestMessage request = Request(
            request => request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "hf_abcdefghIJKL1234"));

        string shown = ForeignText.Show($"AuthenticationRequired: you sent {encoded} as your-authentication-header", request);

        Assert.Matches(@"^AuthenticationRequired: you sent \S{0,4}\*\*\*\S{0,4} as your-authentication-header$", shown);
    }

    [Fact]
    public void A_long_identifier_is_removed_only_if_the_request_has_a_secret()
    {
        const string Text = "request 4bf92f3577b34da6a3ce929d0e0e4736 failed";

        Assert.Equal(Text, ForeignText.Show(Text, Request(_ => { })));
        Assert.Equal("request *** failed", ForeignText.Show(Text, Request(request => request.Headers.Add("X-Key", "0123456789"))));
    }

    [Theory]
    [InlineData("geheimé")]
    [InlineData("geheim\u00C3\u00A9")]
    [InlineData("geheim%C3%A9")]
    public void The_non_ASCII_letters_of_a_password_are_removed_with_the_password(string repeated)
    {
        string base64 = Convert.ToBase64String(Encoding.UTF8.GetBytes("ada:geheimé"));

        Assert.Equal(
            "*** is wrong",
            ForeignText.Show(
                repeated + " is wrong", Request(request => request.Headers.Authorization = new AuthenticationHeaderValue("Basic", base64))));
    }

    [Theory]
    [InlineData("https://h/f?s3cretT0ken")]
    [InlineData("https://h/f?download&s3cretT0ken")]
    public void A_query_that_is_only_a_token_is_removed(string url) =>
        Assert.Equal("no *** here, download it", ForeignText.Show("no s3cretT0ken here, download it", Request(_ => { }, url)));

    [Fact]
    public void The_secrets_of_a_request_are_removed_from_the_text_of_a_redirect_target()
    {
        HttpRequestMessage first = Request(request => request.Headers.Add("X-Key", "0123456789"));
        HttpRequestMessage second = Request(request => request.Options.Set(RequestSecrets.RedirectedKey, first), "https://h/f?sig=abcdefgh");
        HttpRequestMessage third = Request(request => request.Options.Set(RequestSecrets.RedirectedKey, second), "https://other/f");

        Assert.Equal("*** and ***", ForeignText.Show("0123456789 and abcdefgh", third));
    }

    [Theory]
    [InlineData("Cookie", "theme=dark; session=5e55ion5e55ion", "5e55ion5e55ion")]
    [InlineData("X-Api-Key", "k3yk3yk3y", "k3yk3yk3y")]
    [InlineData("x-amz-security-token", "FwoGZXIvYXdzEXAMPLE", "FwoGZXIvYXdzEXAMPLE")]
    [InlineData("Proxy-Authorization", "Basic YWRhOnByb3h5LXBhc3M=", "proxy-pass")]
    [InlineData(
        "Authorization",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0123456789abcdef",
        "0123456789abcdef")]
    public void The_secret_value_of_a_request_header_is_removed(string name, string value, string secret) => Assert.Equal(
        "<***> in eu-west-1", ForeignText.Show($"<{secret}> in eu-west-1", Request(request => request.Headers.TryAddWithoutValidation(name, value))));

    [Fact]
    public void The_secret_parameters_of_a_URL_are_removed_and_the_other_parameters_stay() => Assert.Equal(
        "***== of 2026-01-01 and *** for eu-west-1",
        ForeignText.Show(
            "abc/d+ef== of 2026-01-01 and AKIDEXAMPLE for eu-west-1",
            Request(
                _ => { },
                "https://h/f?sig=abc%2Fd%2Bef%3D%3D&versionId=2026-01-01&X-Amz-Credential=AKIDEXAMPLE%2F20260101%2Feu-west-1%2Fs3%2Faws4_request")));

    [Fact]
    public void A_secret_is_removed_before_the_text_is_cut()
    {
        HttpRequestMessage request = Request(request => request.Headers.Add("X-Key", "0123456789abcdefghij"));

        for (int before = 350; before < 410; before++)
        {
            string shown = ForeignText.Show(new string('-', before) + "0123456789abcdefghij" + new string('-', 10_000), request);

            Assert.True(shown.Length <= 400);
            Assert.DoesNotContain("0123", shown, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Control_characters_are_escaped_and_the_length_of_the_text_is_bounded()
    {
        string shown = ForeignText.Show("a\u001b[2J\u202e" + new string('\u0007', 60_000), request: null);

        Assert.StartsWith("a\\u{1B}[2J\\u{202E}", shown, StringComparison.Ordinal);
        Assert.True(shown.Length <= 400);
    }

    [Fact]
    public void A_message_of_a_store_keeps_its_own_words_and_loses_the_secrets_that_it_quotes()
    {
        HttpRequestMessage request = Request(request =>
        {
            request.Headers.TryAddWithoutValidation("Authorization", "SharedKey devstoreaccount1:c2lnbmF0dXJlc2lnbmF0dXJl");
            request.Headers.Add("X-Tenant", "the storage accounts");
        });
        var told = new WeightSourceException(
            "az://a/b",
            "the account refuses storage (c2lnbmF0dXJlc2lnbmF0dXJl of devstoreaccount1).")
        {
            IsTransient = true,
            RetryAfter = TimeSpan.FromSeconds(3),
        };

        WeightSourceException clean = ForeignText.Clean(told, request);

        Assert.Equal("az://a/b: the account refuses storage (*** of devstoreaccount1).", clean.Message);
        Assert.Equal((true, TimeSpan.FromSeconds(3)), (clean.IsTransient, clean.RetryAfter));
        Assert.Same(clean, ForeignText.Clean(clean, request));
    }

    [Theory]
    [InlineData("the")]
    [InlineData("token")]
    [InlineData("resource")]
    [InlineData("container")]
    [InlineData(":")]
    public void A_secret_that_is_a_common_word_does_not_change_the_message_of_a_store(string secret)
    {
        HttpRequestMessage request = Request(request => request.Headers.TryAddWithoutValidation("X-Key", secret));
        var told = new WeightSourceException("az://a/b", "the token: it is not for the resource of this container.");

        Assert.Same(told, ForeignText.Clean(told, request));
        Assert.Equal("no *** here", ForeignText.Show($"no {secret} here", request));
    }

    [Theory]
    [InlineData("it lists \"KEY\" twice", "it lists \"***\" twice")]
    [InlineData("it lists \"a\"KEY\" twice", "it lists \"a\"***\" twice")]
    [InlineData("the tensor \"a\" has no KEY", "the tensor \"a\" has no KEY")]
    public void An_error_about_a_file_loses_a_short_secret_only_inside_quotation_marks(string said, string expected)
    {
        HttpRequestMessage request = Request(request => request.Headers.TryAddWithoutValidation("X-Key", "dtype"));
        var error = new SafeTensorsFormatException(SafeTensorsErrorKind.InvalidHeader, "f", said.Replace("KEY", "dtype", StringComparison.Ordinal));

        Assert.Equal(
            expected.Replace("KEY", "dtype", StringComparison.Ordinal), RepeatedSecrets.Remove(error, new RequestedSource(request)).Said);
    }

    [Fact]
    public void A_project_name_stays_in_the_text_of_a_store_and_is_removed_from_a_reason_phrase()
    {
        HttpRequestMessage request = Request(request => request.Headers.TryAddWithoutValidation("X-Key", "0123456789"));
        const string Text = "reader@my-project-123456 has no access";

        Assert.Equal(Text, ForeignText.Show(Text, request, isFree: false));
        Assert.Equal("reader@*** has no access", ForeignText.Show(Text, request));
    }

    [Fact]
    public void An_inner_exception_that_repeats_a_secret_is_dropped()
    {
        HttpRequestMessage request = Request(request => request.Headers.Add("X-Key", "0123456789"));
        var clean = new IOException("broken");

        Assert.Same(clean, ForeignText.Cause(clean, request));
        Assert.Null(ForeignText.Cause(new IOException("broken", new IOException("Received an invalid header line: 'X 0123456789'")), request));
    }

    private sealed class RequestedSource(HttpRequestMessage request) : IWeightSource, IRequestedSource
    {
        public string Display => "f";

        public long Length => 0;

        public string? Validator => null;

        public HttpRequestMessage? LastRequest => request;

        public ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private static HttpRequestMessage Request(Action<HttpRequestMessage> set, string url = "https://h/f")
    {
        var request = new HttpRequestMessage(HttpMethod.Get, url);
        set(request);
        return request;
    }
}
