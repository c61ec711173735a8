namespace TypedWeights.Elf;

/// <summary>How many dynamic symbols a library has: nothing in the file says it outright, only the hash tables imply it.</summary>
internal static class SymbolCount
{
    private const int GnuHeaderSize = 16;

    public static uint Read(ElfImage image)
    {
        if (image.TryGet(DynamicTag.GnuHash, out ulong gnu))
        {
            return OfGnuHash(image, gnu);
        }

        // The older table: bucket count, then chain count, and there is one chain entry for each symbol.
        return image.U32(image.OffsetOf(image.Get(DynamicTag.Hash), 8) + 4);
    }

    // The chains follow the buckets, one word for each hashed symbol; the lowest bit ends a chain, and the highest bucket's ends last.
    private static uint OfGnuHash(ElfImage image, ulong address)
    {
        ulong header = image.OffsetOf(address, GnuHeaderSize);
        uint buckets = image.U32(header);
        uint firstHashed = image.U32(header + 4);
        ulong bucketsAddress = address + GnuHeaderSize + (ulong)image.U32(header + 8) * sizeof(ulong);
        ulong bucketsOffset = image.OffsetOf(bucketsAddress, (ulong)buckets * sizeof(uint));
        uint last = 0;
        for (uint i = 0; i < buckets; i++)
        {
            last = Math.Max(last, image.U32(bucketsOffset + (ulong)i * sizeof(uint)));
        }

        if (last < firstHashed)
        {
            return firstHashed;
        }

        ulong chain = bucketsAddress + (ulong)buckets * sizeof(uint) + (ulong)(last - firstHashed) * sizeof(uint);
        while ((image.U32(image.OffsetOf(chain, sizeof(uint))) & 1) == 0)
        {
            chain += sizeof(uint);
            last++;
        }

        return last + 1;
    }
}
