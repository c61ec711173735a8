using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using TypedWeights.Caching;
using TypedWeights.Devices.Cuda;
using TypedWeights.Opening;
using TypedWeights.Sources;
using TypedWeights.Sources.Stores;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;

namespace TypedWeights;

/// <summary>
/// Configures a <see cref="WeightLoader"/>. Files, HTTP and the stores of all packages that the application references need no call; a
/// package's <c>UseX</c> method sets options of its store, which replace those of the environment.
/// </summary>
public sealed class WeightLoaderBuilder : IWeightSourceBuilder
{
    private readonly SourceRegistryBuilder _sources = new();
    private ILoggerFactory _loggers = NullLoggerFactory.Instance;
    private TimeProvider _time = TimeProvider.System;
    private TransferOptions _transfer = new();
    private (string Folder, LocalCacheOptions Options)? _cache;
    private Func<CudaBackend> _cuda = static () => CudaBackend.Simulated ?? CudaBackend.System;

    /// <summary>Adds a source. For its schemes it is used instead of a built-in or registered source.</summary>
    /// <param name="provider">Disposed with the loader.</param>
    public WeightLoaderBuilder UseSource(IWeightSourceProvider provider)
    {
        ArgumentNullException.ThrowIfNull(provider);
        _sources.AddSource(_ => provider);
        return this;
    }

    /// <summary>Sets how bytes are read: connections, ranges, retries, memory.</summary>
    /// <param name="options">For all loads of the loader.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public WeightLoaderBuilder UseTransferOptions(TransferOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _transfer = options;
        return this;
    }

    /// <summary>Sets how HTTP servers are reached: credentials, headers, proxies, certificates.</summary>
    /// <param name="options">
    /// For all loads of the loader: proxies, certificates and the connection pool for every store that uses the loader's connections,
    /// credentials and headers for <c>http(s)://</c> alone.
    /// </param>
    /// <exception cref="ArgumentException">A value is out of its range.</exception>
    public WeightLoaderBuilder UseHttp(HttpOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _sources.Http = options;
        return this;
    }

    /// <summary>
    /// Keeps remote files in a folder of this machine: they are written while they are loaded, without delaying the tensors, and read from there
    /// the next time. Without this call the environment variable <c>TYPEDWEIGHTS_CACHE</c> names the folder; without both there is no cache.
    /// </summary>
    /// <param name="folder">
    /// The folder; created when it is first written to. Several loaders and processes may share it. A folder that other users may write to
    /// is not used unless <see cref="LocalCacheOptions.TrustFolder"/> is set.
    /// </param>
    /// <param name="options">Its size, and what loads do with it; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public WeightLoaderBuilder UseLocalCache(string folder, LocalCacheOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        options ??= new LocalCacheOptions();
        options.Validate();
        _cache = (folder, options);
        return this;
    }

    /// <summary>
    /// Makes a URI scheme stand for a location, so that one attribute serves development and production:
    /// <c>UseAlias("models", "s3://bucket/prefix")</c> makes <c>models://story</c> mean <c>s3://bucket/prefix/story</c>. Without this call
    /// the variable <c>TYPEDWEIGHTS_ALIAS_MODELS</c> sets it. The scheme of a store cannot be an alias: <see cref="Build"/> throws.
    /// </summary>
    /// <param name="scheme">The scheme, in lower case.</param>
    /// <param name="target">A path or URI of a folder.</param>
    /// <exception cref="ArgumentException">The scheme is not valid.</exception>
    public WeightLoaderBuilder UseAlias(string scheme, string target)
    {
        _sources.AddAlias(scheme, target);
        return this;
    }

    /// <summary>Logs a few lines for each load: what it reads, its progress, its time.</summary>
    /// <param name="loggers">Creates the logger; its category is <c>TypedWeights.WeightLoader</c>.</param>
    public WeightLoaderBuilder UseLogging(ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(loggers);
        _loggers = loggers;
        return this;
    }

    /// <summary>Measures time with another clock, for tests.</summary>
    /// <param name="time">The clock.</param>
    public WeightLoaderBuilder UseTimeProvider(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _time = time;
        return this;
    }

    /// <summary>Uses another driver and tensor library instead of NVIDIA's and libtorch.</summary>
    internal WeightLoaderBuilder UseCuda(CudaBackend backend)
    {
        _cuda = () => backend;
        return this;
    }

    /// <summary>Creates the loader.</summary>
    /// <exception cref="ArgumentException">Two of the added sources serve one scheme, or one serves the scheme of an alias.</exception>
    public WeightLoader Build()
    {
        LocalCache? cache = _cache is { } given ? new LocalCache(given.Folder, given.Options)
            : CacheFolder.OfEnvironment is { } folder
                ? new LocalCache(folder, new LocalCacheOptions { TrustFolder = CacheFolder.IsTrustedByEnvironment })
            : null;
        return new WeightLoader(
            _sources.Build(new TransferContext(_transfer, _time)), new CudaEngine(_cuda, StagingLimits.For(_transfer)), _loggers, _time, cache);
    }

    void IWeightSourceBuilder.AddSource(Func<StoreContext, IWeightSourceProvider> create) => _sources.AddSource(create);
}
