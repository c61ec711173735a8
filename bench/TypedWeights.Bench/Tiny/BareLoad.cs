using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using TorchSharp;
using TypedWeights.Interop;

namespace TypedWeights.Bench.Tiny;

/// <summary>
/// A minimal loader in .NET: one read, the runtime's own JSON reader, a tensor over memory for each entry, a dictionary. It checks nothing
/// and supports only F32.
/// </summary>
internal static unsafe class BareLoad
{
    /// <summary>Loads a file and frees its tensors.</summary>
    public static void Run(string path)
    {
        using SafeFileHandle file = File.OpenHandle(path);
        int length = checked((int)RandomAccess.GetLength(file));
        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        void* memory = null;
        var tensors = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal);
        try
        {
            Span<byte> bytes = buffer.AsSpan(0, length);
            RandomAccess.Read(file, bytes, 0);
            int dataStart = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
            memory = NativeMemory.AlignedAlloc((nuint)(length - dataStart), 64);
            bytes[dataStart..].CopyTo(new Span<byte>(memory, length - dataStart));
            Fill(tensors, bytes[8..dataStart], (byte*)memory);
        }
        finally
        {
            foreach (torch.Tensor tensor in tensors.Values)
            {
                tensor.Dispose();
            }

            NativeMemory.AlignedFree(memory);
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Fill(Dictionary<string, torch.Tensor> tensors, ReadOnlySpan<byte> header, byte* memory)
    {
        ulong[] shape = new ulong[8];
        var json = new Utf8JsonReader(header);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string name = json.GetString()!;
            int rank = 0;
            long begin = 0;
            json.Read();
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                bool isShape = json.ValueTextEquals("shape"u8), isOffsets = json.ValueTextEquals("data_offsets"u8);
                json.Read();
                for (int i = 0; (isShape || isOffsets) && json.Read() && json.TokenType == JsonTokenType.Number; i++)
                {
                    if (isShape)
                    {
                        shape[rank++] = json.GetUInt64();
                    }
                    else if (i == 0)
                    {
                        begin = json.GetInt64();
                    }
                }
            }

            var layout = new TorchLayout(torch.ScalarType.Float32, TensorShape.Own(shape[..rank]));
            tensors.Add(name, TensorOverMemory.Borrow((nint)(memory + begin), layout));
        }
    }
}
