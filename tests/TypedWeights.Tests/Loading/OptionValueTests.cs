using TorchSharp;

namespace TypedWeights.Tests.Loading;

/// <summary>An option whose value can mean nothing is refused by its name, before anything is opened.</summary>
public sealed class OptionValueTests
{
    // Nobody looks at it: the options come first.
    private const string NoFile = "there-is-no-such-file.safetensors";

    public static TheoryData<string, LoadOptions> TypedValues => new()
    {
        { nameof(LoadOptions.MemoryLimit), new() { MemoryLimit = -1 } },
        { nameof(LoadOptions.MemoryLimit), new() { MemoryLimit = long.MinValue } },
        { nameof(LoadOptions.Storage), new() { Storage = (TensorStorage)9 } },
        { nameof(LoadOptions.Unexpected), new() { Unexpected = (UnexpectedTensors)(-1) } },
        { nameof(LoadOptions.Verify), new() { Verify = (Verification)7 } },
        { nameof(LoadOptions.Revision), new() { Revision = (WeightRevision)7 } },
        { nameof(LoadOptions.Cache), new() { Cache = (CacheMode)99 } },
        { nameof(LoadOptions.OrderOfUse), new() { OrderOfUse = [null!] } },
    };

    public static TheoryData<string, TensorLoadOptions> UntypedValues => new()
    {
        { nameof(TensorLoadOptions.MemoryLimit), new() { MemoryLimit = -1 } },
        { nameof(TensorLoadOptions.MemoryLimit), new() { MemoryLimit = long.MinValue } },
        { nameof(TensorLoadOptions.Storage), new() { Storage = (TensorStorage)9 } },
        { nameof(TensorLoadOptions.Cache), new() { Cache = (CacheMode)99 } },
        { nameof(TensorLoadOptions.OrderOfUse), new() { OrderOfUse = [null!] } },
    };

    public static TheoryData<string, Action<WeightLoaderBuilder>> BuilderValues => new()
    {
        { nameof(TransferOptions.MinConnections), b => b.UseTransferOptions(new() { MinConnections = 0 }) },
        { nameof(TransferOptions.MaxConnections), b => b.UseTransferOptions(new() { MaxConnections = -1 }) },
        { nameof(TransferOptions.PartSize), b => b.UseTransferOptions(new() { PartSize = 0 }) },
        { nameof(TransferOptions.GapSize), b => b.UseTransferOptions(new() { GapSize = -1 }) },
        { nameof(TransferOptions.BufferLimit), b => b.UseTransferOptions(new() { BufferLimit = -1 }) },
        { nameof(TransferOptions.StagingSize), b => b.UseTransferOptions(new() { StagingSize = 0 }) },
        { nameof(TransferOptions.BytesPerSecond), b => b.UseTransferOptions(new() { BytesPerSecond = 0 }) },
        { nameof(TransferOptions.StallTimeout), b => b.UseTransferOptions(new() { StallTimeout = TimeSpan.Zero }) },
        { nameof(TransferOptions.StallTimeout), b => b.UseTransferOptions(new() { StallTimeout = Timeout.InfiniteTimeSpan }) },
        { nameof(TransferOptions.Attempts), b => b.UseTransferOptions(new() { Attempts = 0 }) },
        { nameof(TransferOptions.RetryDelay), b => b.UseTransferOptions(new() { RetryDelay = TimeSpan.FromTicks(-1) }) },
        { nameof(LocalCacheOptions.SizeLimit), b => b.UseLocalCache("cache", new() { SizeLimit = -1 }) },
        { nameof(LocalCacheOptions.Mode), b => b.UseLocalCache("cache", new() { Mode = (CacheMode)99 }) },
        { nameof(HttpOptions.ConnectTimeout), b => b.UseHttp(new() { ConnectTimeout = TimeSpan.Zero }) },
        { nameof(HttpOptions.ConnectTimeout), b => b.UseHttp(new() { ConnectTimeout = TimeSpan.FromDays(2) }) },
        { nameof(HttpOptions.TrustedRoots), b => b.UseHttp(new() { TrustedRoots = [null!] }) },
        { nameof(HuggingFaceOptions.Endpoint), b => b.UseHuggingFace(new() { Endpoint = new Uri("hub", UriKind.Relative) }) },
        { nameof(HuggingFaceOptions.Endpoint), b => b.UseHuggingFace(new() { Endpoint = new Uri("ftp://hub.example.com") }) },
        { nameof(HuggingFaceOptions.CacheFolder), b => b.UseHuggingFace(new() { CacheFolder = " " }) },
    };

    public static TheoryData<string> UnservedDevices => ["mps", "xla", "meta", "hip", "mkldnn:1", "cuda:-2"];

    [Theory]
    [MemberData(nameof(TypedValues))]
    public async Task A_typed_load_refuses_an_invalid_option_by_its_name(string option, LoadOptions options)
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        Func<Task>[] loads =
        [
            () => WeightLoader.Default.LoadAsync<TinyModel>(options, cancellationToken: token),
            () => WeightLoader.Default.BeginLoadAsync<TinyModel>(options, cancellationToken: token),
        ];
        foreach (Func<Task> load in loads)
        {
            var error = await Assert.ThrowsAnyAsync<ArgumentException>(load);
            Assert.Equal(option, error.ParamName);
        }
    }

    [Theory]
    [MemberData(nameof(UntypedValues))]
    public async Task An_untyped_load_refuses_an_invalid_option_by_its_name(string option, TensorLoadOptions options)
    {
        var error = await Assert.ThrowsAnyAsync<ArgumentException>(() => WeightLoader.Default.LoadTensorsAsync(
            NoFile, options, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Equal(option, error.ParamName);
    }

    [Theory]
    [MemberData(nameof(BuilderValues))]
    public void A_builder_refuses_an_invalid_option_by_its_name(string option, Action<WeightLoaderBuilder> use)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => use(new WeightLoaderBuilder()));

        Assert.Contains(option, error.ParamName, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(UnservedDevices))]
    public async Task A_device_that_loads_do_not_support_is_refused_with_the_supported_devices(string device)
    {
        TensorLoadOptions[] ways = [new() { Device = device }, new() { Placement = new Placement().Put("*", new torch.Device(device)) }];
        foreach (TensorLoadOptions options in ways)
        {
            var error = await Assert.ThrowsAsync<WeightsException>(
                () => WeightLoader.Default.LoadTensorsAsync(NoFile, options, cancellationToken: TestContext.Current.CancellationToken));
            Assert.Contains($"Loading onto {device} is not supported", error.Message, StringComparison.Ordinal);
            Assert.Contains("\"cuda:N\"", error.Message, StringComparison.Ordinal);
        }
    }

    // TorchSharp makes a device of the text before a load sees it, as the remark on CommonLoadOptions.Device says.
    [Theory]
    [InlineData("")]
    [InlineData("xpu")]
    [InlineData("vulkan")]
    [InlineData("cuda:")]
    [InlineData("cuda:one")]
    public void Text_that_TorchSharp_cannot_parse_as_a_device_fails_before_the_load(string device)
    {
        Exception? error = Record.Exception(() => new LoadOptions { Device = device });

        Assert.NotNull(error);
        Assert.False(error is WeightsException, error.Message);
        Assert.Equal("device", Assert.Throws<ArgumentException>(() => new Placement().Put("*", device)).ParamName);
    }

    [Fact]
    public void A_placement_refuses_a_device_text_with_two_colons_that_TorchSharp_parses_as_cpu()
    {
        torch.Device? device = new LoadOptions { Device = "cuda:1:2" }.Device;

        Assert.Equal((DeviceType.CPU, -1), (device!.type, device.index));
        Assert.Equal("device", Assert.Throws<ArgumentException>(() => new Placement().Put("*", "cuda:1:2")).ParamName);
    }

    [Fact]
    public async Task A_cpu_device_with_a_number_is_refused()
    {
        var error = await Assert.ThrowsAsync<WeightsException>(() => WeightLoader.Default.LoadTensorsAsync(
            NoFile, new() { Device = new torch.Device(DeviceType.CPU, 3) }, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("cpu:3", error.Message, StringComparison.Ordinal);
    }
}
