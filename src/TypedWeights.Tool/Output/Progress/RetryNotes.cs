using System.Globalization;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Tool.Output.Progress;

/// <summary>Says that a server makes trouble, and not for each of thirty connections.</summary>
internal static class RetryNotes
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>Notes the retries of a command's transfers.</summary>
    public static void ShowIn(ProgressView view, TransferContext context)
    {
        var gate = new Lock();
        long? last = null;
        context.Retrying += (failure, attempt, wait) =>
        {
            lock (gate)
            {
                if (last is null || context.Time.GetElapsedTime(last.Value) >= Interval)
                {
                    last = context.Time.GetTimestamp();
                    string seconds = wait.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);
                    view.Note(failure.Message + (seconds == "0" ? " Trying again." : $" Trying again in {seconds} s."));
                }
            }
        };
    }
}
