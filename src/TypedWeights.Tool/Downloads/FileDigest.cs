using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Tool.Downloads;

/// <summary>SHA-256 of a file, in the format of <c>sha256sum</c>.</summary>
internal static class FileDigest
{
    private const int BufferLength = 1 << 20;

    /// <summary>Reads a file from the disk.</summary>
    /// <param name="path">The file.</param>
    /// <param name="read">Is called with the number of bytes as they are read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>Lower-case hexadecimal.</returns>
    public static async Task<string> ReadAsync(string path, Action<long> read, CancellationToken cancellationToken)
    {
        using SafeFileHandle file = File.OpenHandle(path, options: FileOptions.SequentialScan);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = GC.AllocateUninitializedArray<byte>(BufferLength);
        for (long position = 0; ;)
        {
            int count = await RandomAccess.ReadAsync(file, buffer, position, cancellationToken);
            if (count == 0)
            {
                return Convert.ToHexStringLower(hash.GetHashAndReset());
            }

            hash.AppendData(buffer.AsSpan(0, count));
            position += count;
            read(count);
        }
    }

    /// <summary>The line that <c>sha256sum</c> prints and <c>sha256sum --check</c> reads.</summary>
    public static string Line(string digest, string path)
    {
        string escaped = path.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal).Replace("\r", "\\r", StringComparison.Ordinal);
        return OperatingSystem.IsWindows() || escaped == path ? $"{digest}  {path}" : $"\\{digest}  {escaped}";
    }
}
