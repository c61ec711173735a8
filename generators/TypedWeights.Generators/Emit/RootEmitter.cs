using TypedWeights.Generators.Model;
using TypedWeights.Generators.Naming;

namespace TypedWeights.Generators.Emit;

/// <summary>Writes what only the user's class has: loading, saving, ownership, the manifest.</summary>
internal static class RootEmitter
{
    private const string Token = "global::System.Threading.CancellationToken cancellationToken = default";
    private const string Options = "global::TypedWeights.LoadOptions? options";
    private const string DefaultLoader = "global::TypedWeights.WeightLoader.Default";
    private const string Progress = "global::System.IProgress<global::TypedWeights.LoadProgress>? progress = null";

    // "new() { … }" as the first argument fits two overloads; the one with options must win.
    private const string LowPriority = "[global::System.Runtime.CompilerServices.OverloadResolutionPriority(-1)]";
    private const string Manifest = "global::TypedWeights.WeightManifest";

    public static void Write(SourceWriter writer, ModelSpec model, GroupEmitter emitter)
    {
        string name = Identifiers.Written(model.Class.Name);
        string self = model.Class.FullName;
        writer.Open($"private {name}(global::TypedWeights.WeightSet weights)");
        writer.Line("Weights = weights;");
        writer.Line("global::TypedWeights.Binding.WeightScope scope = global::TypedWeights.Binding.WeightScope.Root(weights);");
        emitter.Assignments(model.Groups[0]);
        writer.Line("OnBound();");
        writer.Close();
        emitter.Properties(model.Groups[0], isUserClass: true);

        Member(
            writer,
            """
            /// <summary>The same tree without tensors: the name, dtype and shape of every weight, before anything is loaded.</summary>
            """,
            $"public static {self}.{MemberNames.RootPaths} Paths => __PathsHolder.Value;");
        Member(
            writer,
            """
            /// <summary>The tensors by their raw names. This object owns them: disposing it frees them.</summary>
            """,
            "public global::TypedWeights.WeightSet Weights { get; }");
        LoadMethods(writer, self);
        BeginMethods(writer, self);
        OwnershipMembers(writer, self, model.Class.Placements);
        Holders(writer, model, self);
    }

    private static void LoadMethods(SourceWriter writer, string self)
    {
        const string Parameters = """
            /// <param name="options">The options; null for the defaults.</param>
            /// <param name="progress">Receives the progress of the load.</param>
            /// <param name="cancellationToken">Ends the load.</param>
            /// <returns>The model, complete. The caller disposes it.</returns>
            /// <exception cref="global::TypedWeights.WeightsException">The weights are absent, unreadable or not of this class.</exception>
            /// <exception cref="global::System.OperationCanceledException">The token was cancelled; everything has been freed.</exception>
            """;
        const string Summary = "/// <summary>Loads the weights with the default loader.</summary>";
        Overloads(writer, self, "LoadAsync", Summary, Parameters);
        GivenSource(
            writer,
            self,
            "LoadAsync",
            Summary,
            "global::System.IO.Stream stream",
            "/// <param name=\"stream\">One safetensors file, from the stream's position to its end; the caller disposes the stream.</param>",
            Parameters);
        GivenSource(
            writer,
            self,
            "LoadAsync",
            Summary,
            "global::System.ReadOnlyMemory<byte> bytes",
            "/// <param name=\"bytes\">One safetensors file, which must not change until the task has ended.</param>",
            Parameters);
    }

    private static void BeginMethods(SourceWriter writer, string self)
    {
        const string Summary = """
            /// <summary>
            /// Starts to load the weights with the default loader and returns before they are ready: await <c>WhenReadyAsync</c> of a
            /// group before you read its tensors. The tensors are loaded in the order of their use.
            /// </summary>
            """;
        const string Parameters = """
            /// <param name="options">The options; null for the defaults.</param>
            /// <param name="progress">Receives the progress of the load.</param>
            /// <param name="cancellationToken">Ends the load, also after the model has been returned.</param>
            /// <returns>The model, whose tensors may not be ready yet. The caller disposes it.</returns>
            /// <exception cref="global::TypedWeights.WeightsException">The weights are absent, unreadable or not of this class.</exception>
            /// <exception cref="global::System.OperationCanceledException">The token was cancelled; everything has been freed.</exception>
            """;
        Overloads(writer, self, "BeginLoadAsync", Summary, Parameters);
        Member(
            writer,
            """
            /// <summary>Waits until every tensor is ready. After <c>LoadAsync</c> all of them are.</summary>
            /// <param name="cancellationToken">Ends the wait, not the load.</param>
            /// <exception cref="global::TypedWeights.WeightsException">The load failed; every wait ends with the same error.</exception>
            """,
            $"public global::System.Threading.Tasks.Task WhenReadyAsync({Token}) =>",
            "    Weights.WhenReadyAsync(cancellationToken);");
    }

    // From the source that the class names, from another source, and with another loader.
    private static void Overloads(SourceWriter writer, string self, string method, string summary, string parameters)
    {
        string open = $"public static global::System.Threading.Tasks.Task<{self}> {method}(";
        Member(
            writer,
            summary + "\n" + parameters,
            open,
            $"    {Options} = null,",
            $"    {Progress},",
            $"    {Token}) =>",
            $"    {DefaultLoader}.{method}<{self}>(options, progress, cancellationToken);");
        GivenSource(
            writer,
            self,
            method,
            summary,
            "string source",
            "/// <param name=\"source\">A path or URI; it replaces the source of the attribute.</param>",
            parameters);
        Member(
            writer,
            summary.Replace("the default loader", "the given loader") + "\n/// <param name=\"loader\">The loader.</param>\n" + parameters,
            open,
            "    global::TypedWeights.WeightLoader loader,",
            $"    {Options},",
            $"    {Progress},",
            $"    {Token}) =>",
            $"    loader.{method}<{self}>(options, progress, cancellationToken);");
    }

    private static void GivenSource(
        SourceWriter writer, string self, string method, string summary, string source, string documentation, string parameters)
    {
        string argument = source.Substring(source.IndexOf(' ') + 1);
        Member(
            writer,
            summary + "\n" + documentation + "\n" + parameters,
            LowPriority,
            $"public static global::System.Threading.Tasks.Task<{self}> {method}(",
            $"    {source},",
            $"    {Options} = null,",
            $"    {Progress},",
            $"    {Token}) =>",
            $"    {DefaultLoader}.{method}<{self}>({argument}, options, progress, cancellationToken);");
    }

    private static void OwnershipMembers(SourceWriter writer, string self, EquatableArray<PlacementSpec> placements)
    {
        Member(
            writer,
            """
            /// <summary>Writes the weights to one safetensors file.</summary>
            /// <param name="path">The file; replaced when the new one is complete.</param>
            /// <param name="cancellationToken">Ends the work; the old file, if any, stays.</param>
            """,
            $"public global::System.Threading.Tasks.Task SaveAsync(string path, {Token}) =>",
            "    Weights.SaveAsync(path, cancellationToken);");
        Member(
            writer,
            """
            /// <summary>Hands a tensor over to the caller, who then disposes it; its property throws from then on.</summary>
            /// <param name="path">A path of <see cref="Paths"/>.</param>
            """,
            $"public {TreeSide.Tensor} Detach(global::TypedWeights.WeightPath path) => Weights.Detach(path.Name);");
        Member(
            writer,
            """
            /// <summary>Frees every tensor that was not handed over. A second call does nothing.</summary>
            """,
            "public void Dispose() => Weights.Dispose();");
        writer.Line();
        writer.Line(
            "/// <summary>Called when every property is set, before a load returns; "
                + "in BeginLoadAsync, tensors may not be ready yet.</summary>");
        writer.Line("partial void OnBound();");
        writer.Line();
        writer.Line($"static {Manifest} global::TypedWeights.IWeightModel<{self}>.Manifest => __ManifestHolder.Value;");
        if (placements.Count > 0)
        {
            writer.Line();
            writer.Line($"static global::TypedWeights.Placement? global::TypedWeights.IWeightModel<{self}>.Placement =>");
            writer.Line("    new global::TypedWeights.Placement()");
            for (int i = 0; i < placements.Count; i++)
            {
                string rule = $".Put({Literals.String(placements[i].Pattern)}, {Literals.String(placements[i].Device)})";
                writer.Line("        " + rule + (i == placements.Count - 1 ? ";" : ""));
            }
        }

        writer.Line();
        writer.Line($"static {self} global::TypedWeights.IWeightModel<{self}>.Bind(global::TypedWeights.WeightSet weights) =>");
        writer.Line($"    new {self}(weights);");
    }

    // Each in a separate class: what is never used is never parsed.
    private static void Holders(SourceWriter writer, ModelSpec model, string self)
    {
        string manifest = model.Manifest.TrimEnd('\n');
        string quotes = Literals.RawQuotes(manifest);
        writer.Line();
        writer.Open("private static class __ManifestHolder");
        writer.Line($"internal static readonly {Manifest} Value = {Manifest}.Parse({quotes}");
        writer.Indented(manifest);
        writer.Indented(quotes + "u8);");
        writer.Close();
        writer.Line();
        writer.Open("private static class __PathsHolder");
        writer.Line($"internal static readonly {self}.{MemberNames.RootPaths} Value = new {self}.{MemberNames.RootPaths}(");
        writer.Indented("global::TypedWeights.Binding.PathScope.Root(__ManifestHolder.Value));");
        writer.Close();
    }

    private static void Member(SourceWriter writer, string documentation, params string[] lines)
    {
        writer.Line();
        writer.Lines(documentation);
        writer.Line(GroupEmitter.Attribute);
        foreach (string line in lines)
        {
            writer.Line(line);
        }
    }
}
