using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using TypedWeights.Devices.Cuda;
using TypedWeights.Sources;
using TypedWeights.Sources.File;
using TypedWeights.Sources.Http;
using TypedWeights.Streaming;
using TypedWeights.Streaming.Limits;

namespace TypedWeights;

/// <summary>Configures a <see cref="WeightLoader"/>. Files and HTTP are always there; other stores are added by their package's <c>UseX</c>.</summary>
public sealed class WeightLoaderBuilder
{
    private readonly List<IWeightSourceProvider> _providers = [];
    private ILoggerFactory _loggers = NullLoggerFactory.Instance;
    private TimeProvider _time = TimeProvider.System;
    private TransferOptions _transfer = new();
    private HttpSourceOptions _http = new();
    private Func<CudaBackend> _cuda = static () => DeviceDefaults.Backend ?? CudaBackend.System;

    /// <summary>Adds a kind of store. One for files or HTTP stands in for the built-in one.</summary>
    /// <param name="provider">Disposed with the loader.</param>
    public WeightLoaderBuilder UseSource(IWeightSourceProvider provider)
    {
        ArgumentNullException.ThrowIfNull(provider);
        _providers.Add(provider);
        return this;
    }

    /// <summary>Says how bytes are fetched: connections, parts, patience, memory.</summary>
    /// <param name="options">For all loads of the loader.</param>
    /// <exception cref="ArgumentOutOfRangeException">One of the values is out of its range.</exception>
    public WeightLoaderBuilder UseTransferOptions(TransferOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _transfer = options;
        return this;
    }

    /// <summary>Says how HTTP servers are reached: logins, headers, proxies, certificates.</summary>
    /// <param name="options">For all loads of the loader; without effect where <see cref="UseSource"/> gave a store for HTTP.</param>
    /// <exception cref="ArgumentException">One of the values is out of its range.</exception>
    public WeightLoaderBuilder UseHttp(HttpSourceOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _http = options;
        return this;
    }

    /// <summary>Writes a few lines for each load: what it reads, how it goes, what it took.</summary>
    /// <param name="loggers">Where to; the category is <c>TypedWeights.WeightLoader</c>.</param>
    public WeightLoaderBuilder UseLogging(ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(loggers);
        _loggers = loggers;
        return this;
    }

    /// <summary>Measures with another clock, for tests.</summary>
    /// <param name="time">The clock.</param>
    public WeightLoaderBuilder UseTimeProvider(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _time = time;
        return this;
    }

    /// <summary>Puts another driver and tensor library in the place of NVIDIA's and libtorch.</summary>
    internal WeightLoaderBuilder UseCuda(CudaBackend backend)
    {
        _cuda = () => backend;
        return this;
    }

    /// <summary>Makes the loader.</summary>
    /// <exception cref="ArgumentException">Two of the added stores serve one scheme.</exception>
    public WeightLoader Build()
    {
        List<IWeightSourceProvider> providers = [.. _providers];
        AddUnlessServed("file", static () => new FileSourceProvider());
        AddUnlessServed("http", () => new HttpSourceProvider(_http));
        return new WeightLoader(
            new SourceRegistry(new TransferContext(_transfer, _time), providers),
            new CudaEngine(_cuda, StagingLimits.For(_transfer)),
            _loggers,
            _time);

        void AddUnlessServed(string scheme, Func<IWeightSourceProvider> create)
        {
            if (!_providers.Exists(provider => provider.Schemes.Contains(scheme)))
            {
                providers.Add(create());
            }
        }
    }
}
