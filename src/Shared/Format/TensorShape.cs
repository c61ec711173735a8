using System.Globalization;

namespace TypedWeights;

/// <summary>
/// The dimensions of a tensor, outermost first; empty for a scalar. Row-major, as the format stores it.
/// </summary>
/// <remarks>
/// A dimension is an unsigned 64-bit number in the format: one beyond <see cref="long.MaxValue"/> is legal if a 0 precedes
/// it, so dimensions are <see cref="ulong"/> here and <see cref="ToInt64Array"/> is the way to a tensor library.
/// </remarks>
public readonly struct TensorShape : IEquatable<TensorShape>
{
    private readonly ulong[]? _dimensions;

    /// <summary>Makes a shape of the given dimensions.</summary>
    /// <param name="dimensions">Outermost first; none for a scalar. Copied.</param>
    public TensorShape(params ulong[] dimensions)
        : this(new Owned((ulong[])dimensions.Clone()))
    {
    }

    private TensorShape(Owned dimensions) => _dimensions = dimensions.Array;

    /// <summary>The number of dimensions; 0 for a scalar.</summary>
    public int Rank => _dimensions?.Length ?? 0;

    /// <summary>The size along one axis.</summary>
    /// <param name="axis">From 0 (outermost) to <see cref="Rank"/> - 1.</param>
    public ulong this[int axis] => (_dimensions ?? [])[axis];

    internal ReadOnlySpan<ulong> Dimensions => _dimensions;

    /// <summary>The shape as a message shows it: of more than sixteen dimensions the first ones and the rank.</summary>
    internal string ToShortString()
    {
        const int Shown = 16;
        if (Rank <= Shown)
        {
            return ToString();
        }

        IEnumerable<string> first = (_dimensions ?? []).Take(Shown).Select(static dimension => dimension.ToString(CultureInfo.InvariantCulture));
        return "[" + string.Join(", ", first) + ", …] of rank " + Rank.ToString("N0", CultureInfo.InvariantCulture);
    }

    // A header may hold a shape of millions of dimensions: its reader does not need a second copy.
    internal static TensorShape Own(ulong[] dimensions) => new(new Owned(dimensions));

    /// <summary>The dimensions as signed numbers, as tensor libraries take them.</summary>
    /// <exception cref="OverflowException">A dimension is beyond <see cref="long.MaxValue"/>.</exception>
    public long[] ToInt64Array() => Array.ConvertAll(_dimensions ?? [], static dimension => checked((long)dimension));

    /// <summary>
    /// The product of the dimensions, left to right, as the reference computes it; 1 for a scalar.
    /// </summary>
    /// <param name="count">The number of elements.</param>
    /// <returns>Whether no step of the product left 64 bits. <c>[0, 2^63, 2^63]</c> passes, <c>[2^63, 4, 0]</c> does not.</returns>
    public bool TryGetElementCount(out ulong count)
    {
        count = 1;
        foreach (ulong dimension in _dimensions ?? [])
        {
            if (dimension != 0 && count > ulong.MaxValue / dimension)
            {
                return false;
            }

            count *= dimension;
        }

        return true;
    }

    /// <inheritdoc/>
    public bool Equals(TensorShape other) => (_dimensions ?? []).AsSpan().SequenceEqual(other._dimensions ?? []);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is TensorShape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        int hash = Rank;
        foreach (ulong dimension in _dimensions ?? [])
        {
            hash = unchecked((hash * 31) + dimension.GetHashCode());
        }

        return hash;
    }

    /// <summary>Whether two shapes have the same dimensions.</summary>
    public static bool operator ==(TensorShape left, TensorShape right) => left.Equals(right);

    /// <summary>Whether two shapes differ in any dimension.</summary>
    public static bool operator !=(TensorShape left, TensorShape right) => !left.Equals(right);

    /// <summary>The shape as in <c>[4096, 14336]</c>; <c>[]</c> for a scalar.</summary>
    public override string ToString() =>
        "[" + string.Join(", ", (_dimensions ?? []).Select(static dimension => dimension.ToString(CultureInfo.InvariantCulture))) + "]";

    private readonly struct Owned
    {
        public Owned(ulong[] array) => Array = array;

        public ulong[] Array { get; }
    }
}
