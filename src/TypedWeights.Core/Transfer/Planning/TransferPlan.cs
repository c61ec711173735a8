using System.Globalization;
using TypedWeights.Checkpoints;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Transfer.Planning;

/// <summary>
/// Which bytes of which files go to which tensors: every byte of every wanted tensor exactly once, in ranges that are read at one go.
/// </summary>
internal sealed class TransferPlan
{
    /// <summary>The most bytes of a segment of a file that is not cut by tensors: what a buffer on the way to a disk holds.</summary>
    public const long FileSegmentSize = 1L << 20;

    // A few bytes of a header can claim a tensor of any size: nothing is cut, and so allocated, for more than this. 4 TiB in parts of 8 MiB.
    private const long MostParts = 1L << 19;

    private TransferPlan(
        IReadOnlyList<CheckpointFile> files,
        IReadOnlyList<CheckpointTensor> tensors,
        IReadOnlyList<int> inFileOrder,
        IReadOnlyList<int> readInFileOrder,
        IReadOnlyList<TransferRange> ranges,
        long totalBytes)
    {
        Files = files;
        Tensors = tensors;
        InFileOrder = inFileOrder;
        ReadInFileOrder = readInFileOrder;
        Ranges = ranges;
        TotalBytes = totalBytes;
        GapBytes = ranges.Sum(range => range.Length) - totalBytes;
    }

    /// <summary>The files that tensors and ranges name by their index; empty for a plan that is not about tensors.</summary>
    public IReadOnlyList<CheckpointFile> Files { get; }

    /// <summary>The wanted tensors; segments name them by their index here. Empty for a plan that is not about tensors.</summary>
    public IReadOnlyList<CheckpointTensor> Tensors { get; }

    /// <summary>The tensors that have bytes, by their index, as they lie in the files.</summary>
    public IReadOnlyList<int> InFileOrder { get; }

    /// <summary>Those of <see cref="InFileOrder"/> that are read.</summary>
    public IReadOnlyList<int> ReadInFileOrder { get; }

    /// <summary>
    /// The ranges, file by file in the order of their bytes, unless an order of use was given. Tensors without bytes, or that are not read,
    /// have none. Nothing waits between two files: readers that are done with one are at work on the next.
    /// </summary>
    public IReadOnlyList<TransferRange> Ranges { get; }

    /// <summary>How many files ranges can name.</summary>
    public int FileCount { get; private init; }

    /// <summary>How many targets segments can name: the wanted tensors.</summary>
    public int TargetCount { get; private init; }

    /// <summary>The number of bytes to read for the targets.</summary>
    public long TotalBytes { get; }

    /// <summary>The bytes of the largest range; 0 where there is none.</summary>
    public long LargestRange => Ranges.Count == 0 ? 0 : Ranges.Max(static range => range.Length);

    /// <summary>The number of bytes that are read along and dropped.</summary>
    public long GapBytes { get; }

    /// <summary>Plans the reading of some of a checkpoint's tensors.</summary>
    /// <param name="files">The checkpoint's files.</param>
    /// <param name="tensors">The wanted tensors, each once.</param>
    /// <param name="limits">How large a range may be: neighbours are merged up to that, larger tensors split.</param>
    /// <param name="isRead">Which of the tensors are read; null for all. The others' bytes come some other way.</param>
    /// <param name="order">In what order they are used, which is the order of the ranges then; null for the order of the files.</param>
    /// <param name="segmentSize">The most bytes of one segment: <see cref="IWeightSink.SegmentSize"/>.</param>
    /// <exception cref="WeightSourceException">A file can only be read as a whole, and a part of it is wanted.</exception>
    /// <exception cref="WeightsException">The tensors are larger than anything that can be read in parts of that size.</exception>
    public static TransferPlan Create(
        IReadOnlyList<CheckpointFile> files,
        IReadOnlyList<CheckpointTensor> tensors,
        PartLimits limits,
        IReadOnlyList<bool>? isRead = null,
        UseOrder? order = null,
        long segmentSize = long.MaxValue)
    {
        int[] inFileOrder = TensorOrder.InFiles(tensors);
        int[] read = isRead is null
            ? inFileOrder
            : Array.FindAll(inFileOrder, index => isRead[index]);
        var wanted = new WantedBytes[read.Length];
        long total = 0;
        for (int i = 0; i < read.Length; i++)
        {
            (int file, TensorInfo info) = tensors[read[i]];
            wanted[i] = new WantedBytes(file, files[file].Header.DataStart + info.Begin, info.ByteLength, read[i], 0);
            total = checked(total + info.ByteLength);
            ThrowIfTooMany(files[file].Source.Display, total, limits);
        }

        WholeFiles.Check(files, wanted);
        if (order is not null)
        {
            wanted = UsedBytes.InOrder(files, wanted, order.Steps);
        }

        return new TransferPlan(files, tensors, inFileOrder, read, RangeCutter.Cut(wanted, limits, segmentSize), total)
        {
            FileCount = files.Count,
            TargetCount = tensors.Count,
        };
    }

    /// <summary>The same reads, as a sink sees them whose tensors are others than the file's: converted on their way.</summary>
    /// <param name="tensors">As many, with the same indexes; one has bytes where the file's has.</param>
    public TransferPlan WithTensors(IReadOnlyList<CheckpointTensor> tensors) =>
        new(Files, tensors, InFileOrder, ReadInFileOrder, Ranges, TotalBytes) { FileCount = FileCount, TargetCount = TargetCount };

    /// <summary>What a plan has for some of its tensors, as one sink of several sees it: their ranges are parts of the plan's own.</summary>
    /// <param name="tensors">The tensors by their index, each once; the result counts them in this order.</param>
    public TransferPlan Part(int[] tensors)
    {
        int[] indexes = new int[Tensors.Count];
        Array.Fill(indexes, -1);
        for (int i = 0; i < tensors.Length; i++)
        {
            indexes[tensors[i]] = i;
        }

        return new TransferPlan(
            Files,
            [.. tensors.Select(tensor => Tensors[tensor])],
            Within(InFileOrder, indexes),
            Within(ReadInFileOrder, indexes),
            [.. Ranges.SelectMany(range => Parts(range, indexes))],
            ReadInFileOrder.Where(tensor => indexes[tensor] >= 0).Sum(tensor => Tensors[tensor].Info.ByteLength))
        {
            FileCount = FileCount,
            TargetCount = tensors.Length,
        };
    }

    private static int[] Within(IReadOnlyList<int> tensors, int[] indexes) =>
        [.. tensors.Select(tensor => indexes[tensor]).Where(static index => index >= 0)];

    private static IEnumerable<TransferRange> Parts(TransferRange range, int[] indexes)
    {
        var segments = new List<TransferSegment>();
        long start = range.Offset, end = range.Offset;
        foreach (TransferSegment segment in range.Segments.Append(TransferSegment.Gap(0)))
        {
            int index = segment.IsGap ? -1 : indexes[segment.Tensor];
            if (index < 0 && segments.Count > 0)
            {
                yield return new TransferRange(range.File, start, end - start, segments.ToArray());
                segments.Clear();
            }

            end += segment.Length;
            if (index < 0)
            {
                start = end;
            }
            else
            {
                segments.Add(segment with { Tensor = index });
            }
        }
    }

    private static void ThrowIfTooMany(string display, long bytes, PartLimits limits)
    {
        if (bytes / limits.PartSize > MostParts)
        {
            throw new WeightsException(string.Create(
                CultureInfo.InvariantCulture,
                $"{display}: {bytes:N0} bytes of tensors are more than {MostParts:N0} parts of {limits.PartSize:N0} bytes, the most that is read "
                    + $"at one go; if the file is as large as it says, raise TransferOptions.PartSize."));
        }
    }

    /// <summary>Plans the reading of one file, or of what is missing of it, into one target of the same length: a copy of the file.</summary>
    /// <param name="length">The length of the file.</param>
    /// <param name="limits">How large a range may be.</param>
    /// <param name="missing">What is to be read, in the order of the bytes and without overlaps; null for everything.</param>
    /// <param name="segmentSize">The most bytes of one segment, so that the buffers of segments stay small.</param>
    /// <returns>A plan with one file and one target; a segment's offset is its offset in the file.</returns>
    /// <exception cref="ArgumentException">What is missing overlaps, is out of order, or leaves the file.</exception>
    public static TransferPlan OfFile(
        long length,
        PartLimits limits,
        IReadOnlyList<(long Offset, long Length)>? missing = null,
        long segmentSize = FileSegmentSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        var wanted = new List<WantedBytes>();
        long end = 0;
        foreach ((long offset, long count) in missing ?? [(0, length)])
        {
            if (offset < end || count < 0 || count > length - offset)
            {
                throw new ArgumentException($"{count} bytes at {offset} do not follow {end} within a file of {length}.", nameof(missing));
            }

            end = offset + count;
            if (count > 0)
            {
                wanted.Add(new WantedBytes(0, offset, count, 0, offset));
            }
        }

        IReadOnlyList<TransferRange> ranges = RangeCutter.Cut([.. wanted], limits, segmentSize);
        return new TransferPlan([], [], [], [], ranges, wanted.Sum(bytes => bytes.Length)) { FileCount = 1, TargetCount = 1 };
    }
}
