using TypedWeights.Generators.Model;

namespace TypedWeights.Generators.Diagnostics;

/// <summary>The command that takes the snapshot of a class.</summary>
internal static class SnapshotCommand
{
    public static string For(ClassSpec @class, string fileName) =>
        $"dotnet typedweights snapshot {Quoted(@class.Source)} -o weights/{fileName} --class {@class.Name}";

    // Single quotes: within double ones a shell would still run `commands` and fill in $variables.
    private static string Quoted(string argument) => argument.All(static c => char.IsLetterOrDigit(c) || "-._~/:@%+=,".Contains(c))
        ? argument
        : "'" + argument.Replace("'", "'\\''") + "'";
}
