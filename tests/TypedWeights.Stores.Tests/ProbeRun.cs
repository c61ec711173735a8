using System.Diagnostics;

namespace TypedWeights.Tests.Stores;

/// <summary>Runs tests/StoreProbe: the clouds' libraries keep what they have read of settings for a whole process.</summary>
internal static class ProbeRun
{
    /// <summary>Runs the probe.</summary>
    /// <param name="arguments">As tests/StoreProbe has them.</param>
    /// <param name="environment">The variables; null removes one.</param>
    /// <returns>What it wrote.</returns>
    public static async Task<string> OutputAsync(IEnumerable<string> arguments, params IEnumerable<(string Name, string? Value)> environment)
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo(
            Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "StoreProbe.dll"), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string? value) in environment)
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync(token);
        string output = await process.StandardOutput.ReadToEndAsync(token);
        await process.WaitForExitAsync(token);
        return output + await errors;
    }
}
