using System.Diagnostics;
using System.Runtime.CompilerServices;
using TypedWeights.Tests;

namespace TypedWeights.Generators.Tests.Packaging;

/// <summary>
/// The packages, packed from what was built for these tests, and a package cache of their own. What they depend on comes from the
/// machine's cache, in which nothing of ours is looked for.
/// </summary>
public sealed class PackedFeed : IAsyncLifetime
{
    private readonly TempFolder _folder = new();

    public string Folder => _folder["feed"];

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Folder);
        string repository = Path.GetFullPath(Path.Combine(ThisFolder(), "..", "..", ".."));
        string configuration = AppContext.BaseDirectory.Contains(
            $"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
            ? "Release"
            : "Debug";
        foreach (string project in (string[])
            ["TypedWeights.Core", "TypedWeights.TorchNative", "TypedWeights", "TypedWeights.S3", "TypedWeights.Gcs", "TypedWeights.AzureBlobs"])
        {
            await DotnetAsync(Path.Combine(repository, "src", project), "pack", "--no-build", "-c", configuration, "-o", Folder);
        }

        string fallback = Directory.CreateDirectory(_folder["fallback"]).FullName;
        string cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        foreach (string package in Directory.GetDirectories(cache)
            .Where(path => !Path.GetFileName(path).StartsWith("typedweights", StringComparison.Ordinal)))
        {
            Directory.CreateSymbolicLink(Path.Combine(fallback, Path.GetFileName(package)), package);
        }

        await File.WriteAllTextAsync(
            _folder["NuGet.config"],
            $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="{_folder["cache"]}" /></config>
              <fallbackPackageFolders><clear /><add key="machine" value="{fallback}" /></fallbackPackageFolders>
              <packageSources><clear /><add key="feed" value="{Folder}" /></packageSources>
            </configuration>
            """);
    }

    /// <summary>A folder for a project, with nothing above it that belongs to this repository.</summary>
    public string NewFolder(string name) => Directory.CreateDirectory(_folder[name]).FullName;

    /// <summary>Runs the SDK.</summary>
    /// <returns>What it wrote to the standard output.</returns>
    public async Task<string> DotnetAsync(string folder, params string[] arguments)
    {
        (int exitCode, string text) = await TryDotnetAsync(folder, arguments);
        Assert.True(exitCode == 0, $"dotnet {string.Join(' ', arguments)} failed:\n{text}");
        return text;
    }

    /// <summary>Runs the SDK, which may fail.</summary>
    /// <returns>Its exit code, and what it wrote to the standard output; after a failure, also what it wrote to the standard error.</returns>
    public async Task<(int ExitCode, string Text)> TryDotnetAsync(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        if (folder.StartsWith(_folder.Path, StringComparison.Ordinal))
        {
            start.Environment.Remove("NUGET_PACKAGES");
        }

        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        string text = await output;
        return (process.ExitCode, process.ExitCode == 0 ? text : text + "\n" + errors);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    private static string ThisFolder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
