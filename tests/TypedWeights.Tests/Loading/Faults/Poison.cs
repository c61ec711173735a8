using System.Runtime.InteropServices;
using TypedWeights.Memory;

namespace TypedWeights.Tests.Loading.Faults;

/// <summary>Memory in the place of freed memory, filled with a pattern that nobody may change.</summary>
internal sealed partial class Poison : IDisposable
{
    private const byte Pattern = 0xA5;
    private const int ReadWrite = 0x1 | 0x2;

    // MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE: there or nowhere, and never over what is there.
    private const int PrivateAnonymousAtFreeAddress = 0x2 | 0x20 | 0x100000;

    private readonly List<NativeRegion> _regions = [];
    private readonly int _length;

    private Poison(int length) => _length = length;

    /// <summary>Takes memory at an address that was given back. Only Linux lets one choose.</summary>
    /// <returns>null where somebody else has it by now.</returns>
    public static Poison? InPlaceOf(nint address, int length)
    {
        int before = (int)(address % Environment.SystemPageSize);
        int whole = before + length;
        nint taken = MapAt(address - before, (nuint)whole, ReadWrite, PrivateAnonymousAtFreeAddress, -1, 0);
        if (taken != address - before)
        {
            return null;
        }

        var poison = new Poison(whole);
        poison.Fill(new Mapping(taken, whole));
        return poison;
    }

    /// <summary>Takes the memory that a load of that size has most probably just given back.</summary>
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

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint MapAt(nint address, nuint length, int protection, int flags, int noFile, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);

    private sealed class Mapping(nint address, long length) : NativeRegion(address, length)
    {
        protected override void Free() => Assert.Equal(0, Unmap(Address, (nuint)Length));
    }
}
