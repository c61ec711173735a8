using TypedWeights.Memory;

namespace TypedWeights.Tests.Loading.Faults;

/// <summary>Memory in the place of freed memory, filled with a pattern that nobody may change.</summary>
internal sealed class Poison : IDisposable
{
    private const byte Pattern = 0xA5;
    private readonly List<HeapRegion> _regions = [];
    private readonly int _length;

    private Poison(int length) => _length = length;

    /// <summary>Takes memory until it has some at an address that was given back; skips the test where there is none.</summary>
    public static Poison InPlaceOf(nint address, int length)
    {
        var poison = new Poison(length);
        while (!poison.Take().Contains(address))
        {
            if (poison._regions.Count == 8)
            {
                poison.Dispose();
                Assert.Skip("the system does not give out again what was freed");
            }
        }

        return poison;
    }

    /// <summary>Takes the memory that a load of that size has most probably just given back.</summary>
    public static Poison OfSize(int length)
    {
        var poison = new Poison(length);
        for (int i = 0; i < 4; i++)
        {
            poison.Take();
        }

        return poison;
    }

    public unsafe void AssertIntact() => Assert.All(
        _regions, region => Assert.Equal(-1, new ReadOnlySpan<byte>((void*)region.Address, _length).IndexOfAnyExcept(Pattern)));

    public void Dispose() => _regions.ForEach(region => region.Dispose());

    private unsafe Block Take()
    {
        HeapRegion region = HeapRegion.Allocate(_length);
        _regions.Add(region);
        new Span<byte>((void*)region.Address, _length).Fill(Pattern);
        return new Block(region.Address, _length);
    }

    private readonly record struct Block(nint Start, int Length)
    {
        public bool Contains(nint address) => address >= Start && address < Start + Length;
    }
}
