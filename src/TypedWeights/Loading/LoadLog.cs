using Microsoft.Extensions.Logging;
using TypedWeights.Checkpoints;
using TypedWeights.Errors;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Loading;

/// <summary>The lines that a load logs.</summary>
internal sealed partial class LoadLog(ILogger logger)
{
    public ILogger Logger => logger;

    /// <summary>Logs that a transfer starts.</summary>
    public void Start(Checkpoint checkpoint, TransferPlan plan)
    {
        int files = plan.Tensors.Select(static tensor => tensor.File).Distinct().Count();
        Starting(checkpoint.Uri.Display, files, plan.Tensors.Count, ByteText.Of(plan.TotalBytes));
    }

    /// <summary>Returns a callback that logs a line for each further tenth of a transfer.</summary>
    public Action<LoadProgress> ProgressOf(string source)
    {
        int logged = 0;
        return now =>
        {
            int tenths = (int)(now.Fraction * 10);
            int before = Volatile.Read(ref logged);
            if (tenths > before && tenths < 10 && Interlocked.CompareExchange(ref logged, tenths, before) == before)
            {
                Running(source, tenths * 10, ByteText.OfRate(now.BytesPerSecond));
            }
        };
    }

    /// <summary>Logs that a transfer is complete.</summary>
    public void Finish(string source, LoadProgress last) =>
        Finished(source, ByteText.Of(last.Bytes), Math.Round(last.Elapsed.TotalSeconds, 3), ByteText.OfRate(last.BytesPerSecond));

    /// <summary>Logs warnings about the files that are read.</summary>
    public void Warn(Checkpoint checkpoint, bool isRemote)
    {
        foreach (string warning in checkpoint.Warnings)
        {
            Warn(checkpoint.Uri.Display, warning);
        }

        if (isRemote && checkpoint.Files.FirstOrDefault(static file => file.Source.Validator is null) is { } file)
        {
            Warn(
                file.Source.Display,
                "the server sends neither an ETag nor a Last-Modified: if the file is replaced by one of the same length during the load, "
                    + "only Verification.Digests detects it.");
        }
    }

    /// <summary>Logs that a request will be repeated.</summary>
    public void Retry(WeightSourceException failure, int attempt, TimeSpan wait) =>
        Retrying(failure.Message, attempt, Math.Round(wait.TotalSeconds, 2));

    /// <summary>Logs a message of the local cache.</summary>
    public void Cache(string source, string message, bool isWrong)
    {
        if (isWrong)
        {
            Warn(source, message);
        }
        else
        {
            Cache(source, message);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Loading {Source}: {Files} file(s), {Tensors} tensors, {Size}")]
    private partial void Starting(string source, int files, int tensors, string size);

    [LoggerMessage(2, LogLevel.Information, "Loading {Source}: {Percent} %, {Rate}")]
    private partial void Running(string source, int percent, string rate);

    [LoggerMessage(3, LogLevel.Information, "Loaded {Source}: {Size} in {Seconds} s, {Rate}")]
    private partial void Finished(string source, string size, double seconds, string rate);

    [LoggerMessage(4, LogLevel.Warning, "{Source}: {Warning}")]
    public partial void Warn(string source, string warning);

    [LoggerMessage(5, LogLevel.Warning, "{Failure} Attempt {Attempt} failed; retrying in {Seconds} s")]
    private partial void Retrying(string failure, int attempt, double seconds);

    [LoggerMessage(6, LogLevel.Information, "{Source}: {Message}")]
    private partial void Cache(string source, string message);

    [LoggerMessage(10, LogLevel.Information, "Loading {Source} was cancelled after {Seconds} s")]
    public partial void Cancelled(string source, double seconds);

    [LoggerMessage(11, LogLevel.Information, "Loading {Source} failed after {Seconds} s: {Failure}")]
    public partial void Failed(string source, double seconds, string failure);
}
