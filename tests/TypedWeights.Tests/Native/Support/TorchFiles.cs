namespace TypedWeights.Tests.Native.Support;

/// <summary>The real native libraries, where the build put them beside the tests.</summary>
internal static class TorchFiles
{
    public static string TorchSharp => Find("libLibTorchSharp.so");

    /// <summary>A small one: libtorch.so only refers to others.</summary>
    public static string Torch => Find("libtorch.so");

    public static string Folder => Path.GetDirectoryName(TorchSharp)!;

    private static string Find(string name)
    {
        string[] folders = [Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native"), AppContext.BaseDirectory];
        return folders.Select(f => Path.Combine(f, name)).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException($"{name} is not in the test's output: the Linux x64 packages put it there");
    }
}
