using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using TypedWeights;
using TypedWeights.Opening;
using TypedWeights.Sources;
using TypedWeights.Transfer.Retry;

// Reads an object with nothing but the environment's credentials, and prints the SHA-256 of its bytes or the error, after what the store
// finds odd. The clouds' libraries keep what they have read of settings for a whole process.
//
//   StoreProbe URI ROOT.pem HOST=PORT...      connections to HOST go to PORT of this machine, whose certificate ROOT.pem vouches for;
//                                           - for ROOT.pem: what the machine trusts, and warnings are printed too
//   StoreProbe URI loaded                   prints the names of the assemblies that were loaded for it instead
Dictionary<string, int> ports = args[2..].Select(static pair => pair.Split('=')).ToDictionary(
    static pair => pair[0], static pair => int.Parse(pair[1], System.Globalization.CultureInfo.InvariantCulture));
var builder = new SourceRegistryBuilder
{
    Http = new()
    {
        TrustedRoots = args[1] is "-" or "loaded" ? [] : [X509CertificateLoader.LoadCertificateFromFile(args[1])],
        ConfigureHandler = handler => handler.ConnectCallback = async (context, token) =>
        {
            bool isNamed = ports.TryGetValue(context.DnsEndPoint.Host, out int port);
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(isNamed ? "127.0.0.1" : context.DnsEndPoint.Host, isNamed ? port : context.DnsEndPoint.Port, token);
            return new NetworkStream(socket, ownsSocket: true);
        },
    },
};
var transfer = new TransferContext();
if (args[1] == "-")
{
    transfer.Noted += static (source, message) => Console.WriteLine($"warning: {source}: {message}");
}

try
{
    await using SourceRegistry registry = builder.UseGcs().UseS3().UseAzureBlobs().Build(transfer);
    IWeightLocation location = await registry.LocateAsync(WeightUri.Parse(args[0]), CancellationToken.None);
    await using IWeightSource source = await location.OpenAsync(location.EntryName, CancellationToken.None);
    string hash = Convert.ToHexString(SHA256.HashData(await source.ReadAsync(0, (int)source.Length, CancellationToken.None)));
    Console.WriteLine(
        args[1] == "loaded" ? string.Join('\n', AppDomain.CurrentDomain.GetAssemblies().Select(static found => found.GetName().Name)) : hash);
    return 0;
}
catch (WeightsException e)
{
    Console.WriteLine(e);
    return 1;
}
