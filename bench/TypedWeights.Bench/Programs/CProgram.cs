namespace TypedWeights.Bench.Programs;

/// <summary>The C programs of <c>bench/native</c>, compiled on this machine.</summary>
internal static class CProgram
{
    /// <returns>The compiled program, or null where that does not work; why has been said then.</returns>
    public static async Task<string?> TryCompileAsync(string name, string folder)
    {
        if (ExternalProgram.Find("cc") is not { } compiler)
        {
            Console.WriteLine($"Without {name}.c: {ExternalProgram.Missing("cc")}.");
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
            Console.WriteLine($"Without {name}.c: {e.Message}.");
            return null;
        }
    }
}
