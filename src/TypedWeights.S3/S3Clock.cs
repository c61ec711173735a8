namespace TypedWeights.Sources.S3;

/// <summary>The time that requests are signed with: this machine's, set right by the server's where that refused it.</summary>
internal sealed class S3Clock(TimeProvider time)
{
    private long _offset;

    public DateTime UtcNow => time.GetUtcNow().UtcDateTime + new TimeSpan(Interlocked.Read(ref _offset));

    /// <summary>Takes over the server's time.</summary>
    /// <returns>Whether that makes a difference.</returns>
    public bool SetBy(HttpResponseMessage refusal)
    {
        if (refusal.Headers.Date is not { } date)
        {
            return false;
        }

        bool isOff = (date.UtcDateTime - UtcNow).Duration() > TimeSpan.FromMinutes(1);
        if (isOff)
        {
            Interlocked.Exchange(ref _offset, (date.UtcDateTime - time.GetUtcNow().UtcDateTime).Ticks);
        }

        return isOff;
    }
}
