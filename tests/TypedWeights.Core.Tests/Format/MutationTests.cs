namespace TypedWeights.Tests.Format;

public sealed class MutationTests
{
    private const int Rounds = 100;

    [Fact]
    public async Task A_file_with_random_changes_is_either_read_consistently_or_refused_with_a_format_error()
    {
        int accepted = 0;
        int refused = 0;
        foreach (FileCase c in Corpus.Files.Where(static c => c is { Verdict: "valid", FileBytes: < 20_000 }))
        {
            byte[] original = await File.ReadAllBytesAsync(Path.Combine(Corpus.Root, c.File), TestContext.Current.CancellationToken);
            var random = new Random(original.Length);
            for (int round = 0; round < Rounds; round++)
            {
                byte[] mutated = Mutate(original, random);
                try
                {
                    SafeTensorsHeader header = await Headers.ReadAsync(mutated);
                    Assert.Equal(mutated.Length, header.DataStart + header.DataLength);
                    Assert.Equal(header.DataLength, header.Tensors.Sum(static tensor => tensor.ByteLength));
                    accepted++;
                }
                catch (SafeTensorsFormatException e)
                {
                    Assert.InRange(e.Position!.Value, 0, mutated.Length);
                    refused++;
                }
            }
        }

        // Both ways are taken often: mutations that all fail at the first check would test nothing.
        Assert.InRange(accepted, 150, int.MaxValue);
        Assert.InRange(refused, 5000, int.MaxValue);
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        byte[] bytes = [.. original];
        int header = 8 + (int)Math.Min(BitConverter.ToUInt64(bytes), (ulong)(bytes.Length - 8));
        for (int changes = random.Next(1, 4); changes > 0; changes--)
        {
            int at = random.Next(2) == 0 ? random.Next(bytes.Length) : random.Next(8, header);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes[at] = "{}[]\",:0123456789\\uU8F \n"u8[random.Next(24)];
                    break;
                case 3:
                    return bytes[..at];
                default:
                    return [.. bytes[..at], .. bytes[random.Next(at, bytes.Length)..], .. bytes[..random.Next(1, 9)]];
            }
        }

        return bytes;
    }
}
