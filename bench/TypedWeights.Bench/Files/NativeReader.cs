using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace TypedWeights.Bench.Files;

/// <summary>The C program, compiled on this machine.</summary>
internal sealed class NativeReader
{
    private readonly string _program;

    private NativeReader(string program)
    {
        _program = program;
    }

    /// <returns>Null where there is no C compiler; what is missing has been said then.</returns>
    public static NativeReader? TryCompile(string folder)
    {
        string program = Path.Combine(folder, "pread");
        string source = Path.Combine(AppContext.BaseDirectory, "native", "pread.c");
        try
        {
            _ = Run("cc", "-O2", "-pthread", source, "-o", program);
            return new NativeReader(program);
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException)
        {
            Console.WriteLine($"Without the C program: cc is missing or failed ({e.Message}).");
            return null;
        }
    }

    public double Seconds(string file, string memory) =>
        double.Parse(Run(_program, file, memory, "2"), CultureInfo.InvariantCulture);

    public static string Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {errors.Result.Trim()}");
    }
}
