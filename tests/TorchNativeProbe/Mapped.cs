namespace TorchNativeProbe;

/// <summary>Which libraries are in this process, as the kernel says.</summary>
internal static class Mapped
{
    public static string? File(string name) => OperatingSystem.IsLinux()
        ? System.IO.File.ReadLines("/proc/self/maps")
            .Select(line => line[(line.IndexOf('/', StringComparison.Ordinal) is var i and >= 0 ? i : line.Length)..])
            .FirstOrDefault(path => Path.GetFileName(path).StartsWith(name, StringComparison.Ordinal))
        : null;
}
