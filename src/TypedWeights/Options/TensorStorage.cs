namespace TypedWeights;

/// <summary>What memory the loaded tensors lie in.</summary>
public enum TensorStorage
{
    /// <summary>
    /// One run of memory for all tensors of a load, in the order of the files, each tensor aligned to 64 bytes; on Linux in huge pages.
    /// The fastest way to fill fresh memory.
    /// </summary>
    /// <remarks>
    /// The memory is given back when the last of its tensors is gone. Disposing one of them, or all but one, frees nothing; one that was
    /// handed over by <see cref="WeightSet.Detach"/> keeps all of it. Each tensor is a storage of its own to libtorch, so changing or
    /// saving one does not touch the others. On a GPU there is one run of memory for each dtype, and <c>Tensor.save</c> of one tensor writes
    /// all that share it; <see cref="WeightSet.SaveAsync"/> and <see cref="SafeTensors.SaveAsync"/> do not.
    /// </remarks>
    Arena,

    /// <summary>
    /// An allocation of libtorch's for each tensor, freed with that tensor: for programs that keep some tensors and drop others.
    /// </summary>
    /// <remarks>
    /// glibc, the C library of most Linux systems, keeps freed memory in the process. When a set of 32 MiB or more is disposed, or its load
    /// fails, it is told to give all of that back (<c>malloc_trim</c>), on a thread of the pool. What is freed tensor by tensor stays with it
    /// until then.
    /// </remarks>
    PerTensor,

    /// <summary>
    /// Nothing is read: the tensors are the file itself, mapped into memory, and its pages are read when they are first used. For files
    /// of this machine only. The load takes a few milliseconds whatever the size of the file.
    /// </summary>
    /// <remarks>
    /// <para>
    /// The mapping is private: changing a tensor changes the memory of this process and never the file. The first use of a page waits
    /// for the disk, and the system may drop pages that were not changed and read them again.
    /// </para>
    /// <para>
    /// The file has to stay as it is while tensors of it live. A page that has not been used yet shows what is in the file when it is
    /// used, so a file that is rewritten in place gives mixed weights, and one that is cut short ends the process when a page beyond its
    /// end is touched (SIGBUS on Linux and macOS, an access violation on Windows). Replacing it by renaming another file over it is
    /// safe on Linux and macOS, and it is what saving does. Windows lets nobody replace, shorten or delete the file until the last
    /// tensor is gone: save under another name there.
    /// </para>
    /// <para>
    /// A tensor whose data does not begin at a multiple of its element's size (the format allows it, usual writers avoid it) is read as
    /// with <see cref="Arena"/>. The mapping is undone when the last tensor of its file is gone.
    /// </para>
    /// </remarks>
    Mapped,
}
