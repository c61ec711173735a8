using System.Globalization;
using TypedWeights.Checkpoints;
using TypedWeights.Sources;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Transfer.Planning;

/// <summary>
/// Which bytes of which files go to which tensors: every byte of every wanted tensor exactly once, in ranges.
/// </summary>
internal sealed record TransferPlan
{
    /// <summary>The most bytes of a segment of a file that is not cut by tensors: the size of a buffer on the way to a disk.</summary>
    public const long FileSegmentSize = 1L << 20;

    // A few bytes of a header can claim a tensor of any size. A plan has at most this many ranges: 4 TiB in ranges of 8 MiB.
    private const long MostRanges = 1L << 19;

    private TransferPlan()
    {
    }

    /// <summary>The files that tensors and ranges name by their index; empty for a plan that is not about tensors.</summary>
    public IReadOnlyList<CheckpointFile> Files { get; private init; } = [];

    /// <summary>The wanted tensors; segments name them by their index here. Empty for a plan that is not about tensors.</summary>
    public IReadOnlyList<CheckpointTensor> Tensors { get; private init; } = [];

    /// <summary>The tensors that have bytes, by their index, in the order of the files.</summary>
    public IReadOnlyList<int> InFileOrder { get; private init; } = [];

    /// <summary>The tensors of <see cref="InFileOrder"/> that are read.</summary>
    public IReadOnlyList<int> ReadInFileOrder { get; private init; } = [];

    /// <summary>
    /// The ranges, file by file in the order of their bytes, or in the order of use. Tensors without bytes, and tensors that are not read,
    /// have none. Readers that have finished one file go on with the next.
    /// </summary>
    public required IReadOnlyList<TransferRange> Ranges { get; init; }

    /// <summary>The number of files that ranges can name.</summary>
    public required int FileCount { get; init; }

    /// <summary>The number of targets that segments can name: the wanted tensors.</summary>
    public required int TargetCount { get; init; }

    /// <summary>The number of bytes to read for the targets.</summary>
    public required long TotalBytes { get; init; }

    /// <summary>The bytes of the largest range; 0 when there is none.</summary>
    public long LargestRange => Ranges.Count == 0 ? 0 : Ranges.Max(static range => range.Length);

    /// <summary>The number of bytes that are read and dropped.</summary>
    public long GapBytes => Ranges.Sum(static range => range.Length) - TotalBytes;

    /// <summary>Plans the reading of some of a checkpoint's tensors.</summary>
    /// <param name="files">The checkpoint's files.</param>
    /// <param name="tensors">The wanted tensors, each once.</param>
    /// <param name="limits">How large a range may be: neighbours are merged up to that, larger tensors are split.</param>
    /// <param name="isRead">Which of the tensors are read; null for all. The bytes of the others are supplied in another way.</param>
    /// <param name="order">The order in which the tensors are used, and so the order of the ranges; null for the order of the files.</param>
    /// <param name="segmentSize">The most bytes of one segment: <see cref="IWeightSink.SegmentSize"/>.</param>
    /// <exception cref="WeightSourceException">A file can only be read in order, and only some of its tensors are wanted.</exception>
    /// <exception cref="WeightsException">The tensors are larger than anything that can be read in ranges of that size.</exception>
    public static TransferPlan Create(
        IReadOnlyList<CheckpointFile> files,
        IReadOnlyList<CheckpointTensor> tensors,
        PartLimits limits,
        IReadOnlyList<bool>? isRead = null,
        UseOrder? order = null,
        long segmentSize = long.MaxValue)
    {
        int[] inFileOrder = [.. Enumerable.Range(0, tensors.Count).Where(index => tensors[index].Info.ByteLength > 0)];
        Array.Sort(Array.ConvertAll(inFileOrder, index => (tensors[index].File, tensors[index].Info.Begin)), inFileOrder);
        int[] read = isRead is null ? inFileOrder : Array.FindAll(inFileOrder, index => isRead[index]);
        var wanted = new WantedBytes[read.Length];
        long total = 0;
        for (int i = 0; i < read.Length; i++)
        {
            (int file, TensorInfo info) = tensors[read[i]];
            wanted[i] = new WantedBytes(file, files[file].Header.DataStart + info.Begin, info.ByteLength, read[i], 0);
            total = checked(total + info.ByteLength);
            ThrowIfTooLarge(files[file].Source.Display, total, limits);
        }

        ThrowIfSome(files, wanted);
        return new TransferPlan
        {
            Files = files,
            Tensors = tensors,
            InFileOrder = inFileOrder,
            ReadInFileOrder = read,
            Ranges = RangeCutter.Cut(order is null ? wanted : order.Sort(files, wanted), limits, segmentSize),
            FileCount = files.Count,
            TargetCount = tensors.Count,
            TotalBytes = total,
        };
    }

    /// <summary>Plans the reading of one file, or of its missing bytes, into one target of the same length: a copy of the file.</summary>
    /// <param name="length">The length of the file.</param>
    /// <param name="limits">How large a range may be.</param>
    /// <param name="missing">The bytes to read, in the order of the file and without overlaps; null for all of them.</param>
    /// <param name="segmentSize">The most bytes of one segment, so that the buffers of segments stay small.</param>
    /// <returns>A plan with one file and one target; a segment's offset is its offset in the file.</returns>
    /// <exception cref="ArgumentException">The missing bytes overlap, are out of order, or are not in the file.</exception>
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

        return new TransferPlan
        {
            Ranges = RangeCutter.Cut([.. wanted], limits, segmentSize),
            FileCount = 1,
            TargetCount = 1,
            TotalBytes = wanted.Sum(static bytes => bytes.Length),
        };
    }

    /// <summary>The same ranges, as seen by a sink whose tensors differ from those of the file: they are converted on their way.</summary>
    /// <param name="tensors">As many tensors, with the same indexes. Each has bytes if the file's tensor has.</param>
    public TransferPlan WithTensors(IReadOnlyList<CheckpointTensor> tensors) => this with { Tensors = tensors };

    /// <summary>The plan for some of the tensors, as one of several sinks sees it. Its ranges are parts of this plan's ranges.</summary>
    /// <param name="tensors">The tensors by their index, each once; the result numbers them in this order.</param>
    public TransferPlan Part(int[] tensors)
    {
        int[] indexes = new int[Tensors.Count];
        Array.Fill(indexes, -1);
        for (int i = 0; i < tensors.Length; i++)
        {
            indexes[tensors[i]] = i;
        }

        int[] Within(IReadOnlyList<int> order) => [.. order.Select(tensor => indexes[tensor]).Where(static index => index >= 0)];
        return this with
        {
            Tensors = [.. tensors.Select(tensor => Tensors[tensor])],
            InFileOrder = Within(InFileOrder),
            ReadInFileOrder = Within(ReadInFileOrder),
            Ranges = [.. Ranges.SelectMany(range => Parts(range, indexes))],
            TargetCount = tensors.Length,
            TotalBytes = ReadInFileOrder.Where(tensor => indexes[tensor] >= 0).Sum(tensor => Tensors[tensor].Info.ByteLength),
        };
    }

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

    private static void ThrowIfTooLarge(string display, long bytes, PartLimits limits)
    {
        if (bytes / limits.PartSize > MostRanges)
        {
            throw new WeightsException(string.Create(
                CultureInfo.InvariantCulture,
                $"{display}: {bytes:N0} bytes of tensors are more than {MostRanges:N0} ranges of {limits.PartSize:N0} bytes, the most that one "
                    + $"load reads; if the file is really this large, raise TransferOptions.PartSize."));
        }
    }

    // Some tensors of a file that can only be read in order: all others would be downloaded for nothing.
    private static void ThrowIfSome(IReadOnlyList<CheckpointFile> files, WantedBytes[] wanted)
    {
        for (int file = 0; file < files.Count; file++)
        {
            (_, IWeightSource source, SafeTensorsHeader header) = files[file];
            if (source.IsSequential
                && Array.FindAll(wanted, bytes => bytes.File == file) is { Length: > 0 } some
                && some.Sum(static bytes => bytes.Length) != header.DataLength)
            {
                throw new WeightSourceException(
                    source.Display,
                    $"the file can only be read as a whole, as its server ignores range requests or its stream cannot seek, and only {some.Length} "
                        + $"of its {header.Tensors.Count} tensors are selected. Load all of them, or save the file first and give its path.");
            }
        }
    }
}

/// <summary>Consecutive bytes of one file, read by one request.</summary>
/// <param name="File">An index into the plan's files.</param>
/// <param name="Offset">The position of the first byte in the file.</param>
/// <param name="Length">The number of bytes; the sum of the segments, gaps included.</param>
/// <param name="Segments">Where they go, in the order of the bytes. The first and the last are not gaps.</param>
internal sealed record TransferRange(int File, long Offset, long Length, IReadOnlyList<TransferSegment> Segments)
{
    /// <summary>The number of bytes that go to tensors.</summary>
    public long WantedLength => Segments.Where(static segment => !segment.IsGap).Sum(static segment => segment.Length);
}

/// <summary>The bytes of a range that belong to one tensor, or a gap, whose bytes belong to no tensor and are dropped.</summary>
/// <param name="Tensor">An index into the plan's tensors; negative for a gap.</param>
/// <param name="Offset">The first byte, counted from the tensor's own first byte; 0 for a gap.</param>
/// <param name="Length">The number of bytes, at least 1.</param>
internal readonly record struct TransferSegment(int Tensor, long Offset, long Length)
{
    /// <summary>Whether no tensor wants these bytes: reading them costs less than another request. They need no memory of a sink.</summary>
    public bool IsGap => Tensor < 0;

    public static TransferSegment Gap(long length) => new(-1, 0, length);
}
