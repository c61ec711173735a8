using System.Globalization;
using TypedWeights.GpuBench;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
return args switch
{
    ["make", string path, string bytes] => await ModelFile.MakeAsync(path, long.Parse(bytes, CultureInfo.InvariantCulture)),
    ["serve", string path, string port] => await RangeServer.RunAsync(path, int.Parse(port, CultureInfo.InvariantCulture)),
    ["run", string path, string url] => await Measurements.RunAsync(path, url, rounds: 5),
    ["check"] => Measurements.Check(),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("check | make FILE BYTES | serve FILE PORT | run FILE URL");
    return 2;
}
