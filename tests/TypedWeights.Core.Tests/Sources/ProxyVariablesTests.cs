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
    public void A_proxy_that_can_be_read_is_no_fault(string? value) =>
        Assert.Null(ProxyVariables.Fault("http", name => name == "http_proxy" ? value : null));

    [Theory]
    [InlineData("http://ada:s3cret@proxy:port")]
    [InlineData("http://ada:s3cret@proxy:99999")]
    [InlineData("http://ada:s3cret@proxy:0")]
    [InlineData("ftp://ada:s3cret@proxy:21")]
    [InlineData("http//ada:s3cret@proxy:3128:x")]
    [InlineData("http://ada:s3cret@:3128")]
    [InlineData(" http://ada:s3cret@pro xy:3128")]
    public void A_proxy_that_cannot_be_read_is_named_by_its_variable_and_without_its_password(string value)
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
    public void A_variable_for_other_URLs_is_passed_over(string scheme, string variable) =>
        Assert.Null(ProxyVariables.Fault(scheme, name => name == variable ? "http://proxy:port" : null));

    [Fact]
    public void In_a_CGI_program_HTTP_PROXY_may_be_a_header_and_is_passed_over() => Assert.Null(
        ProxyVariables.Fault("http", name => name is "HTTP_PROXY" ? "http://proxy:port" : name is "GATEWAY_INTERFACE" ? "CGI/1.1" : null));

    [Theory]
    [InlineData("localhost, .example.com,10.0.0.0/8,*", true)]
    [InlineData("http://localhost", false)]
    [InlineData("localhost example.com", false)]
    [InlineData("ada:x@localhost", false)]
    public void Exceptions_from_the_proxy_are_host_names_with_commas_between(string value, bool isFine)
    {
        string? fault = ProxyVariables.Fault("http", name => name switch { "http_proxy" => "http://proxy:1", "NO_PROXY" => value, _ => null });

        Assert.Equal(isFine, fault is null);
        Assert.Equal(!isFine, fault?.Contains("NO_PROXY", StringComparison.Ordinal) == true);
    }
}
