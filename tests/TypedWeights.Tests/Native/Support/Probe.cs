using System.Diagnostics;

namespace TypedWeights.Tests.Native.Support;

/// <summary>Runs tests/TorchNativeProbe, a program as users write them, as a process of its own.</summary>
internal static class Probe
{
    private const string Name = "TorchNativeProbe";

    /// <summary>What the program wrote, by the first word of each line, and what it ended with.</summary>
    public sealed record Result(int ExitCode, string Output)
    {
        public string? this[string key] => Output.Split('\n')
            .FirstOrDefault(line => line.StartsWith(key + ' ', StringComparison.Ordinal))?[(key.Length + 1)..];
    }

    public static async Task<Result> RunAsync(string mode, IReadOnlyDictionary<string, string>? environment = null, string? folder = null)
    {
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo(Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : "dotnet")
        {
            ArgumentList = { Path.Combine(folder ?? AppContext.BaseDirectory, Name + ".dll"), mode },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("TYPEDWEIGHTS_TORCH_NATIVE");
        foreach ((string key, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[key] = value;
        }

        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync(cancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return new Result(process.ExitCode, output + await errors);
    }

    /// <summary>A copy of the program without any native library, and without the list that tells where they would be.</summary>
    public static string CopyWithoutNative(TempFolder temp)
    {
        string target = Directory.CreateDirectory(temp["app"]).FullName;
        string[] names = [Name, "TypedWeights", "TorchSharp", "Microsoft.Extensions", "Google", "SkiaSharp", "ICSharp"];
        foreach (string file in Directory.GetFiles(AppContext.BaseDirectory, "*.dll")
            .Where(f => names.Any(n => Path.GetFileName(f).StartsWith(n + '.', StringComparison.Ordinal))))
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }

        File.Copy(
            Path.Combine(AppContext.BaseDirectory, Name + ".runtimeconfig.json"), Path.Combine(target, Name + ".runtimeconfig.json"));
        return target;
    }
}
