using System.Globalization;
using TypedWeights.Errors;
using TypedWeights.Tool.Output;

namespace TypedWeights.Tool.Measuring;

/// <summary>What reading a checkpoint took. Scripts depend on the members of its JSON and their order.</summary>
/// <param name="Bytes">Bytes of tensors.</param>
/// <param name="Elapsed">From the start of opening to the last byte.</param>
/// <param name="Requests">Requests to a server, repeated ones included; of files of this machine, the ranges read.</param>
/// <param name="Retries">Requests that were repeated.</param>
/// <param name="PeakMemory">The most memory of the process that was in main memory at a time, in bytes.</param>
/// <param name="Allocated">Bytes of managed memory allocated.</param>
/// <param name="Processor">Time of all cores, in the program and in the system on its behalf.</param>
internal sealed record BenchResult(
    long Bytes, TimeSpan Elapsed, long Requests, long Retries, long PeakMemory, long Allocated, TimeSpan Processor)
{
    /// <summary>Decimal gigabytes.</summary>
    public double GigabytesPerSecond => Elapsed > TimeSpan.Zero ? Bytes / 1e9 / Elapsed.TotalSeconds : 0;

    public string ToJson() => string.Create(
        CultureInfo.InvariantCulture,
        $"{{\"bytes\":{Bytes},\"seconds\":{Elapsed.TotalSeconds:0.######},\"gbPerSecond\":{GigabytesPerSecond:0.######},")
        + string.Create(CultureInfo.InvariantCulture, $"\"requests\":{Requests},\"retries\":{Retries},\"peakRssBytes\":{PeakMemory},")
        + string.Create(
            CultureInfo.InvariantCulture, $"\"allocatedBytes\":{Allocated},\"cpuSeconds\":{Processor.TotalSeconds:0.######}}}");

    public void Print(Page page, string uri)
    {
        page.Line(uri, Page.Strong);
        page.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"{ByteText.Of(Bytes)} in {Elapsed.TotalSeconds:0.000} s: {ByteText.OfRate(GigabytesPerSecond * 1e9)}"));
        page.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"  requests      {Requests:N0} ({(Retries == 1 ? "1 retry" : $"{Retries:N0} retries")})"));
        page.Line($"  peak memory   {ByteText.Of(PeakMemory)}");
        page.Line($"  managed       {ByteText.Of(Allocated)} allocated");
        page.Line(string.Create(CultureInfo.InvariantCulture, $"  processor     {Processor.TotalSeconds:0.000} s"));
    }
}
