namespace TypedWeights.Interop.Elf;

/// <summary>Bytes that are not the ELF library their reader takes them for. Always caught and turned into an error that names the file.</summary>
internal sealed class ElfFormatException(string message) : Exception(message);
