namespace TypedWeights.Tests.Stores;

/// <summary>Servers that tests/servers starts and whose addresses the environment has.</summary>
internal static class TestServer
{
    /// <summary>A variable with a server's address or login; the test is skipped without it, and fails in CI, where all of them belong.</summary>
    public static string Require(string variable, string script)
    {
        string? value = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrEmpty(value))
        {
            string reason = $"{variable} is not set; start the server with: eval \"$(tests/servers/{script} start)\"";
            Assert.SkipUnless(Environment.GetEnvironmentVariable("TYPEDWEIGHTS_CI") is { Length: > 0 }, reason + ".");
            throw new InvalidOperationException($"{reason}; TYPEDWEIGHTS_CI says that it should be there.");
        }

        return value;
    }
}
