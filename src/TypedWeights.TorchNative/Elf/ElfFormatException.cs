namespace TypedWeights.Elf;

/// <summary>Bytes that are no sound ELF library. Always caught and turned into an error that names the file.</summary>
internal sealed class ElfFormatException(string message) : Exception(message);
