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
    public async Task Whatever_the_SDK_throws_becomes_one_error_with_store_and_setting_and_file_and_its_innermost_sentence(
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
    public async Task What_a_failure_means_is_said_before_the_words_of_the_SDK_and_those_are_bounded()
    {
        WeightSourceException error = await FailAsync(
            Call() with { Explain = static e => e is FormatException ? "sign in" : null }, _ => throw new FormatException(new string('x', 5000)));
        Assert.StartsWith($"{File}: My Store cannot use the setting: sign in. The SDK says: xxx", error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Message.Length, 400, 600);
    }

    [Fact]
    public async Task Secrets_and_words_of_a_file_that_the_SDK_quotes_are_not_repeated()
    {
        using var folder = new TempFolder();
        await System.IO.File.WriteAllTextAsync(folder["config"], "[profile dev]\naws_secret_access_key wJalrXUtnFEMI/K7MDENG\n", Token);
        SdkCall call = Call() with { Secrets = static () => ["hunter2", ""], QuotedFiles = [folder["config"], folder["absent"], folder.Path] };
        WeightSourceException error = await FailAsync(
            call, _ => throw new FormatException("line <aws_secret_access_key wJalrXUtnFEMI/K7MDENG> of profile dev, not hunter2"));
        Assert.DoesNotContain("wJalr", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("of profile dev, not …", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_network_did_may_pass_and_what_a_setting_does_may_not()
    {
        Assert.True((await FailAsync(Call(), _ => throw new InvalidOperationException("x", new HttpRequestException("refused")))).IsTransient);
        Assert.True((await FailAsync(Call(), _ => throw new AggregateException(new TaskCanceledException("the SDK's own time-out")))).IsTransient);
        Assert.True((await FailAsync(Call(), _ => throw new HttpRequestException("x", null, HttpStatusCode.BadGateway))).IsTransient);
        Assert.False((await FailAsync(Call(), _ => throw new HttpRequestException("x", null, HttpStatusCode.NotFound))).IsTransient);
        Assert.False((await FailAsync(Call(), _ => throw new FileNotFoundException("x"))).IsTransient);
        Assert.True((await FailAsync(Call() with { IsTransient = static _ => true }, _ => throw new FormatException("x"))).IsTransient);
    }

    [Fact]
    public async Task A_cancelled_caller_sees_that_alone_and_what_the_store_says_of_the_file_stays()
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
    public async Task A_slow_answer_is_told_of_once_and_comes()
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
    public async Task No_answer_ends_in_less_than_thirty_seconds_however_often_the_engine_gives_up_and_asks_again()
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
        Assert.Contains("got no answer for 25 s from the setting", error.Message, StringComparison.Ordinal);
        Assert.True(error.IsTransient && error.IsExhausted);
        Assert.Equal(SdkGuard.Limit, TimeSpan.FromTicks(_clock.GetTimestamp()));
        Assert.Single(_notes);
    }

    private static SdkCall Call() => new(File, "the setting");

    private Task<WeightSourceException> FailAsync(SdkCall call, Func<CancellationToken, Task<int>> ask) =>
        Assert.ThrowsAsync<WeightSourceException>(() => _guard.CallAsync(call, ask, Token).AsTask());
}
