namespace TypedWeights.Bench.Programs;

/// <summary>The C programs of <c>bench/native</c>, compiled on this machine.</summary>
internal static class CProgram
{
    /// <returns>The path of the compiled program, or null if it could not be compiled; the reason has been printed then.</returns>
    public static async Task<string?> TryCompileAsync(string name, string folder)
    {
        if (ExternalProgram.Find("cc") is not { } compiler)
        {
            Console.WriteLine($"{name}.c is left out: {ExternalProgram.Missing("cc")}.");
            return null;
        }

        try
        {
            string program = Path.Combine(folder, name);
            string source = Path.Combine(AppContext.BaseDirectory, "native", name + ".c");
            _ = await ExternalProgram.RunAsync(compiler, "-O2", "-pthread", "-D_FILE_OFFSET_BITS=64", source, "-o", program);
            return program;
        }
        catch (InvalidOperationException e)
        {
            Console.WriteLine($"{name}.c is left out: {e.Message}.");
            return null;
        }
    }
}
