using TypedWeights.Checkpoints;
using TypedWeights.Streaming.Limits;

namespace TypedWeights.Streaming;

/// <summary>
/// Which bytes of which files go to which tensors: every byte of every wanted tensor exactly once, in ranges that are read at one go.
/// </summary>
internal sealed class TransferPlan
{
    private TransferPlan(
        IReadOnlyList<CheckpointFile> files,
        IReadOnlyList<CheckpointTensor> tensors,
        IReadOnlyList<int> inFileOrder,
        IReadOnlyList<TransferRange> ranges)
    {
        Files = files;
        Tensors = tensors;
        InFileOrder = inFileOrder;
        Ranges = ranges;
        TotalBytes = ranges.Sum(range => range.Length);
    }

    /// <summary>The files that tensors and ranges name by their index.</summary>
    public IReadOnlyList<CheckpointFile> Files { get; }

    /// <summary>The wanted tensors; segments name them by their index here.</summary>
    public IReadOnlyList<CheckpointTensor> Tensors { get; }

    /// <summary>The tensors that have bytes, by their index, as they lie in the files.</summary>
    public IReadOnlyList<int> InFileOrder { get; }

    /// <summary>The ranges, file by file in the order of their bytes. Tensors without bytes, or that are not read, have none.</summary>
    public IReadOnlyList<TransferRange> Ranges { get; }

    /// <summary>How many files ranges can name.</summary>
    public int FileCount => Files.Count;

    /// <summary>How many targets segments can name: the wanted tensors.</summary>
    public int TargetCount => Tensors.Count;

    /// <summary>The number of bytes to read.</summary>
    public long TotalBytes { get; }

    /// <summary>Plans the reading of some of a checkpoint's tensors.</summary>
    /// <param name="files">The checkpoint's files.</param>
    /// <param name="tensors">The wanted tensors, each once.</param>
    /// <param name="limits">How large a range may be: neighbours are merged up to that, larger tensors split.</param>
    /// <param name="isRead">Tells which tensors are read; null for all. The others' bytes come some other way.</param>
    public static TransferPlan Create(
        IReadOnlyList<CheckpointFile> files,
        IReadOnlyList<CheckpointTensor> tensors,
        PartLimits limits,
        Func<CheckpointFile, TensorInfo, bool>? isRead = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limits.PartSize, 1, nameof(limits));
        int[] inFileOrder =
        [
            .. Enumerable.Range(0, tensors.Count)
                .Where(index => tensors[index].Info.ByteLength > 0)
                .OrderBy(index => tensors[index].File)
                .ThenBy(index => tensors[index].Info.Begin),
        ];
        var ranges = new List<TransferRange>();
        var open = new RangeBuilder(limits.PartSize, ranges);
        foreach (int index in inFileOrder)
        {
            CheckpointTensor tensor = tensors[index];
            CheckpointFile file = files[tensor.File];
            if (isRead is null || isRead(file, tensor.Info))
            {
                open.Add(tensor.File, file.Header.DataStart + tensor.Info.Begin, index, tensor.Info.ByteLength);
            }
        }

        open.Flush();
        return new TransferPlan(files, tensors, inFileOrder, ranges);
    }

    // Collects neighbouring bytes until a part is full or a gap comes.
    private sealed class RangeBuilder(long partSize, List<TransferRange> ranges)
    {
        private readonly List<TransferSegment> _segments = [];
        private int _file;
        private long _offset;
        private long _length;

        public void Add(int file, long offset, int tensor, long length)
        {
            if (file != _file || offset != _offset + _length)
            {
                Flush();
            }

            long done = 0;
            while (done < length)
            {
                if (_length == partSize)
                {
                    Flush();
                }

                if (_length == 0)
                {
                    _file = file;
                    _offset = offset + done;
                }

                long take = Math.Min(length - done, partSize - _length);
                _segments.Add(new TransferSegment(tensor, done, take));
                _length += take;
                done += take;
            }
        }

        public void Flush()
        {
            if (_length > 0)
            {
                ranges.Add(new TransferRange(_file, _offset, _length, [.. _segments]));
                _segments.Clear();
                _length = 0;
            }
        }
    }
}
