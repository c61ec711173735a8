using System.Diagnostics;
using System.Security.Cryptography;

namespace TypedWeights.Tests.Loading.Caching;

/// <summary>Runs tests/CacheProbe as a process of its own.</summary>
internal sealed class ProbeProcess : IDisposable
{
    private readonly Process _process;

    private ProbeProcess(Process process) => _process = process;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static ProbeProcess Start(params string[] arguments) => StartBehind([], arguments);

    /// <param name="openFiles">The hard limit on its open files (not on Windows).</param>
    /// <param name="arguments">The program's.</param>
    public static ProbeProcess Start(int openFiles, params string[] arguments) =>
        StartBehind(["/bin/sh", "-c", $"ulimit -n {openFiles} && exec \"$0\" \"$@\""], arguments);

    /// <summary>As a user who may do no more than the modes of files say: where the tests run as root, as nobody.</summary>
    public static ProbeProcess StartUnprivileged(params string[] arguments) => StartBehind(
        Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [], arguments);

    private static ProbeProcess StartBehind(string[] before, string[] arguments)
    {
        string[] command = [.. before, Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : "dotnet"];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };

        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "CacheProbe.dll"));
        Array.ForEach(arguments, start.ArgumentList.Add);

        // It lives for a moment: what is compiled well takes longer than what is compiled at once.
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_TC_QuickJitForLoops"] = "1";
        return new ProbeProcess(Process.Start(start)!);
    }

    /// <summary>The digest that a load of these tensors prints.</summary>
    public static string DigestOf(IEnumerable<TestFile.Entry> entries) =>
        Convert.ToHexStringLower(SHA256.HashData([.. entries.SelectMany(entry => entry.Data)]));

    /// <summary>Reads lines up to the one that begins with a word.</summary>
    /// <returns>What follows the word.</returns>
    public async Task<string> ReadAsync(string word)
    {
        string? rest = await TryReadAsync(word);
        Assert.True(rest is not null, $"The program ended without a line \"{word}\".");
        return rest;
    }

    /// <summary>As above; null where the program ends before.</summary>
    public async Task<string?> TryReadAsync(string word)
    {
        while (await _process.StandardOutput.ReadLineAsync(Token) is { } line)
        {
            if (line.StartsWith(word, StringComparison.Ordinal))
            {
                return line[word.Length..].Trim();
            }
        }

        return null;
    }

    /// <summary>Lets it go on, and reads its answer where there is one.</summary>
    public async Task<string> GoAsync(string? word)
    {
        await _process.StandardInput.WriteLineAsync();
        await _process.StandardInput.FlushAsync(Token);
        return word is null ? "" : await ReadAsync(word);
    }

    /// <summary>Ends it as the system does: at once, and without asking (SIGKILL).</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(Token);
    }

    public async Task EndAsync()
    {
        await _process.StandardOutput.ReadToEndAsync(Token);
        await _process.WaitForExitAsync(Token);
        Assert.Equal(0, _process.ExitCode);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}
