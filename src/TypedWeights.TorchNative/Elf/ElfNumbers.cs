namespace TypedWeights.Elf;

/// <summary>The machine a library was built for (<c>e_machine</c>); other numbers are machines that .NET does not run on.</summary>
internal enum ElfMachine : ushort
{
    Arm = 40,
    X64 = 62,
    Arm64 = 183,
}

/// <summary>Entries of the dynamic table (<c>d_tag</c>): those that the patch reads.</summary>
internal enum DynamicTag : ulong
{
    End = 0,
    PltRelocationsSize = 2,
    Hash = 4,
    StringTable = 5,
    SymbolTable = 6,
    RelocationsWithAddend = 7,
    RelocationsWithAddendSize = 8,
    StringTableSize = 10,
    SymbolEntry = 11,
    Relocations = 17,
    RelocationsSize = 18,
    PltRelocationKind = 20,
    PltRelocations = 23,
    GnuHash = 0x6ffffef5,
    SymbolVersions = 0x6ffffff0,
    VersionNeeds = 0x6ffffffe,
    VersionNeedsCount = 0x6fffffff,
}
