using System.Net;
using System.Net.Sockets;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Tests.Stores.Seam;

/// <summary>What becomes of the exceptions, and of the silence, of a store's SDK.</summary>
public sealed class SdkGuardTests : IDisposable
{
    private const string File = "my://place/model.safetensors";

    private readonly ManualClock _clock = new();
    private readonly List<string> _notes = [];
    private readonly StoreContext _context;
    private readonly SdkGuard _guard;

    public SdkGuardTests()
    {
        _context = new StoreContext(http: null, _clock, (source, message) => _notes.Add($"{source}: {message}"));
        _guard = new SdkGuard(_context, "My Store");
    }

    public static TheoryData<Exception, string> InnermostSentences => new()
    {
        { new InvalidOperationException("the tenant is none"), "the tenant is none" },
        { new InvalidOperationException("outer", new FormatException("inner\n  on two lines")), "inner on two lines" },
        { new AggregateException(new FormatException("first"), new FormatException("last")), "last" },
        { new TypeInitializationException("A", new FormatException("line 3 is no setting")), "line 3 is no setting" },
        { new FormatException("outer", new InvalidOperationException("")), "outer" },
        {
            new HttpRequestException("Connection refused (sts:443)", new SocketException((int)SocketError.ConnectionRefused, "Connection refused")),
            "Connection refused (sts:443)"
        },
    };

    // TransferOptions.StallTimeout, unless it is set.
    private static TimeSpan Stall { get; } = new TransferOptions().StallTimeout;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _context.Dispose();

    [Theory]
    [MemberData(nameof(InnermostSentences), DisableDiscoveryEnumeration = true)]
    public async Task An_exception_of_the_SDK_becomes_one_error_with_file_store_setting_and_innermost_message(
        Exception thrown, string sentence)
    {
        string expected = $"{File}: My Store cannot use the setting. The SDK says: {sentence}";
        Assert.Equal(expected, Assert.Throws<WeightSourceException>(() => _guard.Call<int>(Call(), () => throw thrown)).Message);
        WeightSourceException error = await FailAsync(Call(), _ => throw thrown);
        Assert.Equal(expected, error.Message);
        Assert.Equal(File, error.SourceName);
        Assert.Null(error.InnerException);
        Assert.Equal(expected, (await FailAsync(Call(), _ => Task.FromException<int>(thrown))).Message);
    }

    [Fact]
    public async Task An_error_explains_the_failure_before_the_message_of_the_SDK_which_is_shortened()
    {
        WeightSourceException error = await FailAsync(
            Call() with { Explain = static e => e is FormatException ? "sign in" : null }, _ => throw new FormatException(new string('x', 5000)));
        Assert.StartsWith($"{File}: My Store cannot use the setting: sign in. The SDK says: xxx", error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Message.Length, 400, 600);
    }

    [Fact]
    public async Task An_error_repeats_no_secret_and_no_file_content_that_the_SDK_quotes()
    {
        using var folder = new TempFolder();
        await System.IO.File.WriteAllTextAsync(folder["config"], "[profile dev]\naws_secret_access_key wJalrXUtnFEMI/K7MDENG\n", Token);
        SdkCall call = Call() with { Secrets = static () => ["hunter2", ""], Files = [new(folder["config"], "CONFIG"), new(folder["absent"], null)] };
        WeightSourceException error = await FailAsync(
            call, _ => throw new FormatException("line <aws_secret_access_key wJalrXUtnFEMI/K7MDENG> of profile dev, not hunter2"));
        Assert.DoesNotContain("wJalr", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("of profile dev, not …", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OddFile.Pipe, "this is a named pipe")]
    [InlineData(OddFile.LinkToDevice, "this is a device")]
    [InlineData(OddFile.Folder, "this is a folder")]
    public async Task A_path_that_is_not_a_regular_file_is_refused_before_the_SDK_reads_it(string kind, string says)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        using var folder = new TempFolder();
        OddFile.Make(kind, folder["config"], folder["victim"]);
        SdkCall call = Call() with { Files = [new(folder["config"], "CONFIG")] };
        string expected = $"{File}: My Store cannot use {folder["config"]} (CONFIG): {says}, and a regular file is expected.";
        WeightSourceException error = await FailAsync(call, _ => throw new InvalidOperationException("it was read"));
        Assert.Equal((expected, false), (error.Message, error.IsTransient));
        Assert.Equal(expected, Assert.Throws<WeightSourceException>(() => _guard.Call(call, () => 0)).Message);
    }

    [Fact]
    public async Task The_null_device_counts_as_no_file()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        Assert.Equal(7, await _guard.CallAsync(Call() with { Files = [new("/dev/null", "CONFIG")] }, _ => Task.FromResult(7), Token));
    }

    [Fact]
    public async Task An_SDK_call_that_blocks_its_thread_times_out_and_can_be_cancelled()
    {
        using var release = new ManualResetEventSlim();
        Task<WeightSourceException> late = FailAsync(Call(), Block);
        await _clock.PassAsync(SdkGuard.Patience, Token);
        await _clock.PassAsync(SdkGuard.Limit - SdkGuard.Patience, Token);
        Assert.Contains("got no response for 25 s from the setting", (await late).Message, StringComparison.Ordinal);

        using var cancelled = new CancellationTokenSource();
        Task<int> waiting = _guard.CallAsync(Call(), Block, cancelled.Token).AsTask();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        release.Set();

        Task<int> Block(CancellationToken token)
        {
            release.Wait(CancellationToken.None);
            return Task.FromResult(0);
        }
    }

    [Fact]
    public async Task A_network_failure_in_the_SDK_is_transient_and_a_wrong_setting_is_not()
    {
        Assert.True((await FailAsync(Call(), _ => throw new InvalidOperationException("x", new HttpRequestException("refused")))).IsTransient);
        Assert.True((await FailAsync(Call(), _ => throw new AggregateException(new TaskCanceledException("the SDK's own time-out")))).IsTransient);
        Assert.True((await FailAsync(Call(), _ => throw new HttpRequestException("x", null, HttpStatusCode.BadGateway))).IsTransient);
        Assert.False((await FailAsync(Call(), _ => throw new HttpRequestException("x", null, HttpStatusCode.NotFound))).IsTransient);
        Assert.False((await FailAsync(Call(), _ => throw new FileNotFoundException("x"))).IsTransient);
        Assert.True((await FailAsync(Call() with { IsTransient = static _ => true }, _ => throw new FormatException("x"))).IsTransient);
    }

    [Fact]
    public async Task A_cancelled_caller_gets_a_cancellation_and_an_error_of_the_store_passes_unchanged()
    {
        using var cancelled = new CancellationTokenSource();
        var never = new TaskCompletionSource<int>();
        Task<int> waiting = _guard.CallAsync(Call(), _ => never.Task, cancelled.Token).AsTask();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        var own = new WeightSourceException(File, "own words") { IsTransient = true };
        Assert.Same(own, await FailAsync(Call(), _ => throw own));
    }

    [Fact]
    public async Task A_slow_SDK_call_is_noted_once_and_returns_its_result()
    {
        var answer = new TaskCompletionSource<int>();
        Task<int> waiting = _guard.CallAsync(Call(), _ => answer.Task, Token).AsTask();
        await _clock.PassAsync(SdkGuard.Patience, Token);
        answer.SetResult(7);
        Assert.Equal(7, await waiting);
        Assert.Equal([$"{File}: My Store: still waiting for the setting after 2 s."], _notes);
        Assert.Equal(8, await _guard.CallAsync(Call(), _ => Task.FromResult(8), Token));
    }

    [Fact]
    public async Task An_SDK_call_without_a_result_fails_within_thirty_seconds_across_all_retries()
    {
        var never = new TaskCompletionSource<int>();
        using (var stalled = new CancellationTokenSource())
        {
            Task<int> first = _guard.CallAsync(Call(), _ => never.Task, stalled.Token).AsTask();
            await _clock.PassAsync(SdkGuard.Patience, Token);
            _clock.Jump(Stall - SdkGuard.Patience);
            await stalled.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        }

        Task<WeightSourceException> second = FailAsync(Call(), _ => never.Task);
        await _clock.PassAsync(SdkGuard.Limit - Stall, Token);
        WeightSourceException error = await second;
        Assert.Contains("got no response for 25 s from the setting", error.Message, StringComparison.Ordinal);
        Assert.True(error.IsTransient && error.IsExhausted);
        Assert.Equal(SdkGuard.Limit, TimeSpan.FromTicks(_clock.GetTimestamp()));
        Assert.Single(_notes);
    }

    private static SdkCall Call() => new(File, "the setting");

    private Task<WeightSourceException> FailAsync(SdkCall call, Func<CancellationToken, Task<int>> ask) =>
        Assert.ThrowsAsync<WeightSourceException>(() => _guard.CallAsync(call, ask, Token).AsTask());
}
