using TypedWeights.Caching;

namespace CacheProbe;

/// <summary>Has a copy in use.</summary>
internal static class HeldCopy
{
    public static int Run(string target, string uri)
    {
        using WholeCopy? copy = WholeCopy.TryOpen(target, uri);
        Console.WriteLine(copy is null ? "absent" : "held");
        Console.ReadLine();
        return copy is null ? 1 : 0;
    }
}
