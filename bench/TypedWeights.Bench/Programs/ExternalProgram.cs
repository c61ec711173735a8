using System.Diagnostics;

namespace TypedWeights.Bench.Programs;

/// <summary>Programs of the system that the benchmarks compare with or need.</summary>
internal static class ExternalProgram
{
    // nginx is in a folder that is only in root's PATH.
    private static readonly string[] MoreFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

    /// <returns>The path of the program, or null if it is not installed.</returns>
    public static string? Find(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator)
        .Concat(MoreFolders)
        .Select(folder => Path.Combine(folder, name))
        .FirstOrDefault(File.Exists);

    /// <summary>The message for a program that is not installed.</summary>
    public static string Missing(string name) => $"{name} is missing (Debian: apt install " + name switch
    {
        "nginx" => "nginx-light)",
        "cc" => "gcc libc6-dev)",
        _ => name + ")",
    };

    /// <summary>Runs a program and waits for its end.</summary>
    /// <returns>The standard output of the program.</returns>
    /// <exception cref="InvalidOperationException">The program failed; the message has its standard error.</exception>
    public static async Task<string> RunAsync(string program, params IEnumerable<string> arguments)
    {
        using Process process = Start(program, arguments);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {(await errors).Trim()}");
    }

    /// <summary>Starts a program whose output the caller reads.</summary>
    public static Process Start(string program, params IEnumerable<string> arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
}
