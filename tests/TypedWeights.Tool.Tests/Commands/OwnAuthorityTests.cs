using System.Security.Cryptography.X509Certificates;
using TypedWeights.Tests.Support;
using static System.StringComparison;

namespace TypedWeights.Tests.Commands;

/// <summary>A server whose authority this machine does not know: the tool has no option for it, and the system has.</summary>
public sealed class OwnAuthorityTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly LocalAuthority _authority = new();

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_error_of_an_unknown_certificate_authority_names_the_variable_that_makes_it_trusted()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "elsewhere the system's own store decides");
        (string certificate, string key) = _authority.Issue("localhost");
        await using FileServer server = await FileServer.StartAsync(X509Certificate2.CreateFromPem(certificate, key));
        server.Files["/m.safetensors"] = TestFile.Bytes([TestFile.F32("a", [1], 1)]);
        string uri = $"{server.Address.Replace("127.0.0.1", "localhost", Ordinal)}/m.safetensors";
        File.WriteAllText(_folder["root.pem"], _authority.Root.ExportCertificatePem());

        ToolRun unknown = await ToolRun.ProcessAsync(_folder.Path, null, "plan", uri);
        ToolRun trusted = await ToolRun.WithVariableAsync(_folder.Path, $"SSL_CERT_FILE={_folder["root.pem"]}", "plan", uri);

        Assert.Equal((2, ""), (unknown.ExitCode, unknown.Out));
        Assert.Contains("is not signed by an authority that this machine trusts", unknown.Error, Ordinal);
        Assert.Contains("SSL_CERT_FILE", unknown.Error, Ordinal);
        Assert.Equal((0, ""), (trusted.ExitCode, trusted.Error));
    }

    [Fact]
    public async Task A_pipe_as_the_certificate_file_is_refused_by_name_without_waiting()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "elsewhere the system's own store decides");
        OddFile.Make(OddFile.Pipe, _folder["root.pem"], _folder["victim"]);

        ToolRun run = await ToolRun.WithVariableAsync(
            _folder.Path, $"SSL_CERT_FILE={_folder["root.pem"]}", "plan", "https://127.0.0.1:1/m.safetensors");

        Assert.Equal((2, ""), (run.ExitCode, run.Out));
        Assert.Contains($"{_folder["root.pem"]} (SSL_CERT_FILE) cannot be read: this is a named pipe", run.Error, Ordinal);
    }
}
