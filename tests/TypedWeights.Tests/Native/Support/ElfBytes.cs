using System.Buffers.Binary;
using System.Text;

namespace TypedWeights.Tests.Native.Support;

/// <summary>Changes to the bytes of a library, made without the code under test.</summary>
internal static class ElfBytes
{
    /// <summary>The places where two files of one length differ.</summary>
    public static int[] Differences(byte[] a, byte[] b) => [.. Enumerable.Range(0, a.Length).Where(i => a[i] != b[i])];

    public static uint U32(byte[] bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset));

    public static int IndexOf(byte[] bytes, string text) => bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes($"\0{text}\0")) + 1;

    /// <summary>A copy in which one text is another of the same length.</summary>
    public static byte[] Replace(byte[] bytes, string from, string to)
    {
        Assert.Equal(from.Length, to.Length);
        byte[] copy = [.. bytes];
        Encoding.ASCII.GetBytes(to).CopyTo(copy, IndexOf(bytes, from));
        return copy;
    }

    /// <summary>The hash by which the loader compares version names (System V ABI).</summary>
    public static uint Hash(string name)
    {
        uint hash = 0;
        foreach (char c in name)
        {
            hash = (hash << 4) + c;
            uint high = hash & 0xf0000000;
            hash = (hash ^ (high >> 24)) & ~high;
        }

        return hash;
    }
}
