using Microsoft.Extensions.Logging;
using TypedWeights.Checkpoints;
using TypedWeights.Devices;
using TypedWeights.Errors;
using TypedWeights.Transfer.Planning;

namespace TypedWeights;

/// <summary>The lines that a load writes through <see cref="ILogger"/>.</summary>
internal sealed partial class LoadLog(ILogger logger)
{
    /// <summary>Starts the lines of one load.</summary>
    public Load Start(Checkpoint checkpoint, TransferPlan plan)
    {
        if (logger.IsEnabled(LogLevel.Information))
        {
            int files = plan.Tensors.Select(tensor => tensor.File).Distinct().Count();
            Starting(logger, checkpoint.Uri.Display, files, plan.Tensors.Count, ByteText.Of(plan.TotalBytes));
        }

        return new Load(logger, checkpoint.Uri.Display);
    }

    /// <summary>Writes what is odd about the files that are read.</summary>
    public void Warn(Checkpoint checkpoint, bool isRemote)
    {
        foreach (string warning in checkpoint.Warnings)
        {
            Warning(logger, checkpoint.Uri.Display, warning);
        }

        if (isRemote && checkpoint.Files.FirstOrDefault(static file => file.Source.Validator is null) is { } file)
        {
            Warning(
                logger,
                file.Source.Display,
                "its server gives neither an ETag nor a Last-Modified: should the file be replaced by one of the same length while it is loaded, "
                    + "nobody would notice but Verification.Digests.");
        }
    }

    /// <summary>Writes what a store finds odd.</summary>
    public void Warn(string source, string message) => Warning(logger, source, message);

    /// <summary>Writes a line for a request that will be repeated.</summary>
    public void Retrying(WeightSourceException failure, int attempt, TimeSpan wait) =>
        Retrying(logger, failure.Message, attempt, Math.Round(wait.TotalSeconds, 2));

    /// <summary>Writes that somebody cancelled a load: without this line its first one would stay the last.</summary>
    public void Cancelled(string source, TimeSpan elapsed) => Cancelled(logger, source, Math.Round(elapsed.TotalSeconds, 3));

    /// <summary>Writes that a load failed; its caller gets the exception.</summary>
    public void Failed(string source, TimeSpan elapsed, Exception failure) =>
        Failed(logger, source, Math.Round(elapsed.TotalSeconds, 3), failure.Message);

    /// <summary>Writes a line about the local cache.</summary>
    public void Cache(string source, string message, bool isWrong)
    {
        if (isWrong)
        {
            Warning(logger, source, message);
        }
        else
        {
            Cache(logger, source, message);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Loading {Source}: {Files} file(s), {Tensors} tensors, {Size}")]
    private static partial void Starting(ILogger logger, string source, int files, int tensors, string size);

    [LoggerMessage(2, LogLevel.Information, "Loading {Source}: {Percent} %, {Rate}")]
    private static partial void Running(ILogger logger, string source, int percent, string rate);

    [LoggerMessage(3, LogLevel.Information, "Loaded {Source}: {Size} in {Seconds} s, {Rate}")]
    private static partial void Finished(ILogger logger, string source, string size, double seconds, string rate);

    [LoggerMessage(4, LogLevel.Warning, "{Source}: {Warning}")]
    private static partial void Warning(ILogger logger, string source, string warning);

    [LoggerMessage(5, LogLevel.Warning, "{Failure} Attempt {Attempt} failed; again in {Seconds} s")]
    private static partial void Retrying(ILogger logger, string failure, int attempt, double seconds);

    [LoggerMessage(6, LogLevel.Information, "{Source}: {Message}")]
    private static partial void Cache(ILogger logger, string source, string message);

    [LoggerMessage(7, LogLevel.Information, "{Source}: {Tensors} of {All} tensors were converted from {From} to {To}")]
    private static partial void Converted(ILogger logger, string source, int tensors, int all, string from, string to);

    [LoggerMessage(8, LogLevel.Warning, "{Source}: {Values} finite values are infinite as {To}, in {Tensors} tensors, {First} first")]
    private static partial void Overflowed(ILogger logger, string source, long values, string to, int tensors, string first);

    [LoggerMessage(9, LogLevel.Information, "{Source}: {Tensors} tensors are on {Device}")]
    private static partial void Placed(ILogger logger, string source, int tensors, string device);

    [LoggerMessage(10, LogLevel.Information, "Loading {Source} was cancelled after {Seconds} s")]
    private static partial void Cancelled(ILogger logger, string source, double seconds);

    [LoggerMessage(11, LogLevel.Information, "Loading {Source} failed after {Seconds} s: {Failure}")]
    private static partial void Failed(ILogger logger, string source, double seconds, string failure);

    /// <summary>The lines of one load; a line for each further tenth of the way.</summary>
    internal sealed class Load(ILogger logger, string source) : ISinkReport
    {
        private int _tenths;

        public void Running(LoadProgress now)
        {
            int tenths = (int)(now.Fraction * 10);
            int before = Volatile.Read(ref _tenths);
            if (tenths > before && tenths < 10 && Interlocked.CompareExchange(ref _tenths, tenths, before) == before)
            {
                LoadLog.Running(logger, source, tenths * 10, ByteText.OfRate(now.BytesPerSecond));
            }
        }

        public void Placed(int tensors, string device) => LoadLog.Placed(logger, source, tensors, device);

        public void Converted(int tensors, int all, DType from, DType to) =>
            LoadLog.Converted(logger, source, tensors, all, from.Name(), to.Name());

        public void Overflowed(long values, int tensors, string first, DType to) =>
            LoadLog.Overflowed(logger, source, values, to.Name(), tensors, first);

        public void Finished(LoadProgress last) => LoadLog.Finished(
            logger, source, ByteText.Of(last.Bytes), Math.Round(last.Elapsed.TotalSeconds, 3), ByteText.OfRate(last.BytesPerSecond));
    }
}
