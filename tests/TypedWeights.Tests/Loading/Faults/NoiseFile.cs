using System.Security.Cryptography;

namespace TypedWeights.Tests.Loading.Faults;

/// <summary>The checkpoint of these tests: 3.7 MB of repeatable noise, some of it odd in length.</summary>
internal static class NoiseFile
{
    public const string Name = "model.safetensors";

    public static IReadOnlyList<TestFile.Entry> Entries { get; } =
    [
        TestFile.Noise("embed", "BF16", 16, 1024, 512),
        TestFile.Noise("layers.0.weight", "F32", 32, 300, 1000),
        TestFile.F32("scale", [], 0.5f),
        TestFile.Noise("layers.1.mask", "U8", 8, 1_500_001),
    ];

    public static byte[] Bytes { get; } = TestFile.Bytes(Entries);

    /// <summary>The same layout and length with other bytes in every tensor.</summary>
    public static IReadOnlyList<TestFile.Entry> OtherEntries { get; } =
        [.. Entries.Select(entry => entry with { Data = [.. entry.Data.Select(value => (byte)~value)] })];

    /// <summary>The file of <see cref="OtherEntries"/>.</summary>
    public static byte[] OtherBytes { get; } = TestFile.Bytes(OtherEntries);

    /// <summary>Fails unless every tensor has the digest of its bytes in the file.</summary>
    public static void AssertIn(WeightSet weights)
    {
        Assert.Equal(Entries.Count, weights.Count);
        foreach (TestFile.Entry entry in Entries)
        {
            string found = Convert.ToHexString(SHA256.HashData(TensorBytes.Of(weights[entry.Name])));
            Assert.True(Convert.ToHexString(SHA256.HashData(entry.Data)) == found, $"{entry.Name} has other bytes than the file");
        }
    }
}
