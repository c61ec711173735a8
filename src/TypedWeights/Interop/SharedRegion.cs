using TypedWeights.Memory;

namespace TypedWeights.Interop;

/// <summary>
/// Memory that many tensors lie in, each a storage of its own to libtorch. It is given back when the last of them is gone.
/// </summary>
/// <remarks>
/// Tensors over slices of one big tensor would do without this count, but not without harm: libtorch counts changes for all views of a
/// tensor together, so that a running mean updated in the forward pass makes the backward pass of every other weight fail, and saving
/// one view writes the storage of all.
/// </remarks>
internal sealed class SharedRegion
{
    private static readonly Lock Gate = new();

    // In the order of addresses. There are as many as there are loaded models, or a few more; each tensor that is freed looks for its own, so
    // that looking takes no lock. Made anew for each change.
    private static volatile SharedRegion[] _living = [];

    private readonly NativeRegion _region;
    private int _users = 1;

    /// <summary>Shares a region; the caller is its first user.</summary>
    public SharedRegion(NativeRegion region)
    {
        _region = region;
        lock (Gate)
        {
            SharedRegion[] living = _living;
            int index = IndexAfter(living, region.Address);
            _living = [.. living[..index], this, .. living[index..]];
        }
    }

    /// <summary>The first byte.</summary>
    public nint Address => _region.Address;

    /// <summary>Counts one more user, who calls <see cref="Release()"/> or, from libtorch, <see cref="Release(nint)"/> once.</summary>
    public void AddUser() => Interlocked.Increment(ref _users);

    /// <summary>Counts one user less; the last one's call gives the memory back.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _users) > 0)
        {
            return;
        }

        // The same addresses may be somebody's again as soon as they are free.
        lock (Gate)
        {
            _living = [.. _living.Where(region => region != this)];
        }

        _region.Dispose();
    }

    /// <summary>The same for the region that an address lies in.</summary>
    public static void Release(nint address)
    {
        // As long as this tensor is, its region is among them, and no other one begins between its start and here.
        SharedRegion[] living = _living;
        living[IndexAfter(living, address) - 1].Release();
    }

    // The number of regions that begin at or before an address.
    private static int IndexAfter(SharedRegion[] living, nint address)
    {
        int low = 0;
        for (int high = living.Length; low < high;)
        {
            int middle = (low + high) / 2;
            if (living[middle].Address <= address)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
