using System.Security.Cryptography;

namespace TypedWeights.Format;

/// <summary>Bytes that are kept for a digest that hardly anybody asks for, in pieces that no collector calls large.</summary>
internal sealed class KeptBytes
{
    private const int PieceSize = 64 << 10;

    private readonly byte[][] _pieces;

    public KeptBytes(ReadOnlySpan<byte> bytes)
    {
        _pieces = new byte[(bytes.Length + PieceSize - 1) / PieceSize][];
        for (int i = 0; i < _pieces.Length; i++)
        {
            _pieces[i] = bytes.Slice(i * PieceSize, Math.Min(PieceSize, bytes.Length - (i * PieceSize))).ToArray();
        }
    }

    /// <summary>SHA-256 of all of them, in lower-case hexadecimal.</summary>
    public string Sha256()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (byte[] piece in _pieces)
        {
            hash.AppendData(piece);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
