using TypedWeights.Sources.Http;

namespace TypedWeights.Tests.Sources;

public sealed class ProxyVariablesTests
{
    [Theory]
    [InlineData("http://proxy:3128")]
    [InlineData("proxy:3128")]
    [InlineData("proxy")]
    [InlineData("HTTP://ada:p%40ss@proxy.example.com:3128/")]
    [InlineData("socks5://127.0.0.1:1080")]
    [InlineData("https://[::1]:8443")]
    [InlineData("")]
    [InlineData(null)]
    public void A_valid_proxy_variable_is_not_reported_as_a_fault(string? value) =>
        Assert.Null(ProxyVariables.Fault("http", name => name == "http_proxy" ? value : null));

    [Theory]
    [InlineData("http://ada:s3cret@proxy:port")]
    [InlineData("http://ada:s3cret@proxy:99999")]
    [InlineData("http://ada:s3cret@proxy:0")]
    [InlineData("ftp://ada:s3cret@proxy:21")]
    [InlineData("http//ada:s3cret@proxy:3128:x")]
    [InlineData("http://ada:s3cret@:3128")]
    [InlineData(" http://ada:s3cret@pro xy:3128")]
    public void An_invalid_proxy_is_reported_with_its_variable_and_without_its_password(string value)
    {
        foreach (string variable in (string[])["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
        {
            string fault = ProxyVariables.Fault("https", name => name == variable ? value : null)!;

            Assert.Contains($"the variable {variable} does not name a proxy", fault, StringComparison.Ordinal);
            Assert.DoesNotContain("s3cret", fault, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("http", "https_proxy")]
    [InlineData("https", "HTTP_PROXY")]
    public void A_proxy_variable_for_another_scheme_is_ignored(string scheme, string variable) =>
        Assert.Null(ProxyVariables.Fault(scheme, name => name == variable ? "http://proxy:port" : null));

    [Fact]
    public void HTTP_PROXY_is_ignored_in_a_CGI_program_because_it_may_come_from_a_header() => Assert.Null(
        ProxyVariables.Fault("http", name => name is "HTTP_PROXY" ? "http://proxy:port" : name is "GATEWAY_INTERFACE" ? "CGI/1.1" : null));

    [Theory]
    [InlineData("localhost, .example.com,10.0.0.0/8,*", true)]
    [InlineData("http://localhost", false)]
    [InlineData("localhost example.com", false)]
    [InlineData("ada:x@localhost", false)]
    public void NO_PROXY_must_be_a_list_of_host_names_separated_by_commas(string value, bool isFine)
    {
        string? fault = ProxyVariables.Fault("http", name => name switch { "http_proxy" => "http://proxy:1", "NO_PROXY" => value, _ => null });

        Assert.Equal(isFine, fault is null);
        Assert.Equal(!isFine, fault?.Contains("NO_PROXY", StringComparison.Ordinal) == true);
    }
}
