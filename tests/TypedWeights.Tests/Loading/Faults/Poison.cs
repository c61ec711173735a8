using TypedWeights.Memory;

namespace TypedWeights.Tests.Loading.Faults;

/// <summary>Memory in the place of freed memory, filled with a pattern that no code may change.</summary>
internal sealed class Poison : IDisposable
{
    private const byte Pattern = 0xA5;

    private readonly List<NativeRegion> _regions = [];
    private readonly int _length;

    private Poison(int length) => _length = length;

    /// <summary>Takes the memory that a load of that size has most probably just freed.</summary>
    public static Poison OfSize(int length)
    {
        var poison = new Poison(length);
        for (int i = 0; i < 4; i++)
        {
            poison.Fill(HeapRegion.Allocate(length));
        }

        return poison;
    }

    public unsafe void AssertIntact() => Assert.All(
        _regions, region => Assert.Equal(-1, new ReadOnlySpan<byte>((void*)region.Address, _length).IndexOfAnyExcept(Pattern)));

    public void Dispose() => _regions.ForEach(region => region.Dispose());

    private unsafe void Fill(NativeRegion region)
    {
        _regions.Add(region);
        new Span<byte>((void*)region.Address, _length).Fill(Pattern);
    }
}
