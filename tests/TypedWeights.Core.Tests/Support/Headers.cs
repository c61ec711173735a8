using System.Buffers.Binary;
using System.Text;
using TypedWeights.Checkpoints;

namespace TypedWeights.Tests;

/// <summary>Files put together from the text of a header, right or wrong.</summary>
internal static class Headers
{
    public static byte[] File(string header, int dataLength = 0) => File(Encoding.UTF8.GetBytes(header), dataLength);

    public static byte[] File(byte[] header, int dataLength = 0)
    {
        byte[] file = new byte[8 + header.Length + dataLength];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
        header.CopyTo(file, 8);
        return file;
    }

    public static async Task<SafeTensorsFormatException> RefusedAsync(byte[] file) =>
        await Assert.ThrowsAsync<SafeTensorsFormatException>(
            async () => await new BytesSource(file).ReadHeaderAsync(TestContext.Current.CancellationToken));

    public static async Task<SafeTensorsHeader> ReadAsync(byte[] file) =>
        await new BytesSource(file).ReadHeaderAsync(TestContext.Current.CancellationToken);
}
