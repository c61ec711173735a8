using Microsoft.CodeAnalysis;
using TypedWeights.Generators.Model;

namespace TypedWeights.Generators.Diagnostics;

/// <summary>Every diagnostic of the generator. Each has a page in <c>docs/diagnostics</c>.</summary>
internal static class Descriptors
{
    public static readonly DiagnosticDescriptor NoSnapshot = Make(
        "TW0001",
        "No snapshot",
        "The project has no weight snapshot of '{0}'{2}; run: {1}",
        DiagnosticSeverity.Error);

    public static readonly DiagnosticDescriptor UnreadableSnapshot = Make(
        "TW0002",
        "Unreadable snapshot",
        "The snapshot cannot be read: {0}",
        DiagnosticSeverity.Error);

    public static readonly DiagnosticDescriptor SeveralSnapshots = Make(
        "TW0003",
        "Several snapshots",
        "'{0}' has {1} snapshots, and exactly one of them must be for the class '{2}': {3}",
        DiagnosticSeverity.Error);

    public static readonly DiagnosticDescriptor NotPartial = Make(
        "TW0004",
        "Not partial",
        "'{0}' must be partial for '{1}' to hold weights",
        DiagnosticSeverity.Error);

    public static readonly DiagnosticDescriptor UnsupportedClass = Make(
        "TW0005",
        "Not a class that can hold weights",
        "'{0}' cannot hold weights: {1}",
        DiagnosticSeverity.Error);

    public static readonly DiagnosticDescriptor InvalidSource = Make(
        "TW0006",
        "Not a URI",
        "The source of '{0}' cannot be read: {1}",
        DiagnosticSeverity.Error);

    public static readonly DiagnosticDescriptor RenamedMembers = Make(
        "TW0007",
        "Names made distinct",
        "{1} of the names in '{0}' collide or are reserved, so they have a suffix: {2}",
        DiagnosticSeverity.Info);

    public static readonly DiagnosticDescriptor UserMember = Make(
        "TW0008",
        "A member of the class takes a weight's name",
        "'{0}' declares or inherits '{1}', so the weight '{2}' is named '{3}'",
        DiagnosticSeverity.Warning);

    public static readonly DiagnosticDescriptor Failed = Make(
        "TW0009",
        "The generator failed",
        "The generator failed on '{0}', which is a defect of TypedWeights: {1}",
        DiagnosticSeverity.Error);

    public static readonly DiagnosticDescriptor NothingToPlace = Make(
        "TW0010",
        "Nothing to place",
        "The pattern '{1}' places no weight of '{0}': {2}",
        DiagnosticSeverity.Error);

    public static readonly DiagnosticDescriptor TwoPlaces = Make(
        "TW0011",
        "Two places",
        "'{0}' puts '{1}' on {2}, but '{3}' puts it on {4}",
        DiagnosticSeverity.Error);

    public static readonly DiagnosticDescriptor NoDevice = Make(
        "TW0012",
        "Not a device",
        "'{0}' is not a valid device; use {1} or cuda:N",
        DiagnosticSeverity.Error);

    public static readonly DiagnosticDescriptor NoProvider = Make(
        "TW0013",
        "No package serves the scheme",
        "'{0}' loads from {1}://, which no referenced package serves; run: dotnet add package {2}",
        DiagnosticSeverity.Warning);

    private static readonly Dictionary<string, DiagnosticDescriptor> ById = new[]
    {
        NoSnapshot, UnreadableSnapshot, SeveralSnapshots, NotPartial, UnsupportedClass, InvalidSource, RenamedMembers, UserMember, Failed,
        NothingToPlace, TwoPlaces, NoDevice, NoProvider,
    }.ToDictionary(static descriptor => descriptor.Id, StringComparer.Ordinal);

    public static IEnumerable<DiagnosticDescriptor> All => ById.Values;

    /// <summary>The diagnostic of a problem, at a location in the source.</summary>
    public static Diagnostic At(this Problem problem, Location location) =>
        Diagnostic.Create(ById[problem.Id], location, [.. problem.Arguments]);

    private static DiagnosticDescriptor Make(string id, string title, string message, DiagnosticSeverity severity) => new(
        id,
        title,
        message,
        "TypedWeights",
        severity,
        isEnabledByDefault: true,
        helpLinkUri: $"https://github.com/typedweights/typedweights/blob/main/docs/diagnostics/{id}.md");
}
