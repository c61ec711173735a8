using System.Buffers.Binary;
using System.Security.Cryptography;

namespace TypedWeights.Tests;

/// <summary>A file as a server gives it out: its bytes with whatever the server says of them.</summary>
/// <param name="Bytes">All bytes.</param>
/// <param name="Tag">The ETag with its quotes, <c>W/</c> before a weak one; null for none.</param>
/// <param name="Modified">The Last-Modified date; null for none.</param>
internal sealed record ServedFile(byte[] Bytes, string? Tag = null, DateTimeOffset? Modified = null)
{
    /// <summary>Where the first tensor's first byte may lie: behind the header.</summary>
    public long DataStart { get; } = Bytes.Length < 8 ? 0 : 8 + BinaryPrimitives.ReadInt64LittleEndian(Bytes);

    /// <summary>A Last-Modified as it is to be sent: one that is no date of HTTP's, say; null for none.</summary>
    public string? OddDate { get; init; }

    public bool IsWeak => Tag?.StartsWith("W/", StringComparison.Ordinal) ?? false;

    /// <summary>A file with a strong tag made from its bytes, as most servers have it.</summary>
    public static ServedFile Strong(byte[] bytes) => new(bytes, $"\"{Convert.ToHexString(SHA256.HashData(bytes))[..16]}\"");
}
