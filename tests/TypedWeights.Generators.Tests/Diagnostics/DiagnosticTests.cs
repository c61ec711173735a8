extern alias generators;

using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using TypedWeights.Generators.Tests.Headers;
using TypedWeights.Snapshots;
using Descriptors = generators::TypedWeights.Generators.Diagnostics.Descriptors;

namespace TypedWeights.Generators.Tests.Diagnostics;

public class DiagnosticTests
{
    private const string Attribute = "[TypedWeights.SafeTensorsModel(\"weights.safetensors\")]";

    private static readonly string Tied = Snapshots.Text(Snapshots.Of(HeaderTraits.Small["tied"]));

    [Fact]
    public void A_missing_snapshot_is_an_error_at_the_attribute_with_the_command_to_run()
    {
        Diagnostic diagnostic = Single(
            "[TypedWeights.SafeTensorsModel(\"https://user:hunter2@models.example/a b/m.safetensors?sig=s3cret\")] partial class M;");
        Assert.Equal("TW0001", diagnostic.Id);
        Assert.Equal(DiagnosticSeverity.Error, diagnostic.Severity);
        Assert.Equal(new FileLinePositionSpan("File0.cs", new(0, 1), new(0, 98)), diagnostic.Location.GetLineSpan());
        Assert.Equal(
            "The project has no weight snapshot of 'https://models.example/a b/m.safetensors'; run: "
            + "dotnet typedweights snapshot 'https://models.example/a b/m.safetensors' -o weights/M.weights.json --class M",
            diagnostic.GetMessage(null));
    }

    [Fact]
    public void No_secret_of_the_attribute_reaches_code_or_diagnostics()
    {
        string snapshot = Tied.Replace("weights.safetensors", "https://models.example/m.safetensors", StringComparison.Ordinal);
        GeneratedProject project = Project.Generate(
            snapshot,
            "[TypedWeights.SafeTensorsModel(\"https://user:pw@models.example/m.safetensors?sig=s3cret#frag\")] partial class M;");
        string all = project.Source + string.Concat(project.Diagnostics) + project.Result.GeneratedTrees[0].FilePath;
        Assert.Contains("https://models.example/m.safetensors", all, StringComparison.Ordinal);
        Assert.All(["pw", "s3cret", "user:", "frag"], secret => Assert.DoesNotContain(secret, all, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{\n  \"schema\": \"typedweights.snapshot/1\",\n  \"class\": 7\n}", 2, 11, "expected a string, found a number")]
    [InlineData("{\n<<<<<<< ours\n}", 1, 0, "an unresolved merge conflict; take the snapshot again")]
    [InlineData("{\n  \"schéma\": 1,\n  \"schema\": \"typedweights.snapshot/9\"}", 2, 12, "the schema is \"typedweights.snapshot/9\"")]
    [InlineData("", 0, 0, "expected an object, found the end of the text")]
    public void An_unreadable_snapshot_is_an_error_at_the_faulty_position_of_the_file(string json, int line, int column, string message)
    {
        Diagnostic diagnostic = Single(Project.UserClass, Project.Snapshot(json, "TinyModel"));
        Assert.Equal("TW0002", diagnostic.Id);
        Assert.Equal("/project/weights/TinyModel.weights.json", diagnostic.Location.GetLineSpan().Path);
        Assert.Equal(new LinePosition(line, column), diagnostic.Location.GetLineSpan().StartLinePosition);
        Assert.Contains(message, diagnostic.GetMessage(null), StringComparison.Ordinal);
    }

    [Fact]
    public void The_snapshot_for_the_class_is_used_when_several_match_the_source()
    {
        AdditionalText other = Project.Snapshot(Tied.Replace("\"Model\"", "\"Other\"", StringComparison.Ordinal), "Other");
        AdditionalText own = Project.Snapshot(Tied.Replace("\"Model\"", "\"TinyModel\"", StringComparison.Ordinal), "TinyModel");
        Assert.Empty(Project.GenerateWithoutChecks([other, own], Project.UserClass).Diagnostics);
        Diagnostic diagnostic = Single(Project.UserClass, other, Project.Snapshot(Tied, "Third"));
        Assert.Equal("TW0003", diagnostic.Id);
        Assert.EndsWith("'TinyModel': Other.weights.json, Third.weights.json", diagnostic.GetMessage(null), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[A] sealed class M;", "'M' must be partial for 'M' to hold weights")]
    [InlineData("class Outer { [A] partial class M; }", "'Outer' must be partial for 'M' to hold weights")]
    [InlineData("struct Outer { partial class Inner { [A] partial class M; } }", "'Outer' must be partial for 'M' to hold weights")]
    public void A_class_that_is_not_partial_is_an_error(string source, string message)
    {
        Diagnostic diagnostic = Single(source.Replace("[A]", Attribute, StringComparison.Ordinal), Project.Snapshot(Tied));
        Assert.Equal("TW0004", diagnostic.Id);
        Assert.Equal(message, diagnostic.GetMessage(null));
    }

    [Theory]
    [InlineData("partial class M<T>;", "it is generic")]
    [InlineData("static partial class M;", "it is static, so a load cannot create an instance of it")]
    [InlineData("abstract partial class M;", "it is abstract, so a load cannot create an instance of it")]
    [InlineData("partial record M;", "it is a record, which compares by value; make it a class")]
    [InlineData("file partial class M;", "it is local to its file, and the generated code is in another file")]
    [InlineData("partial class M(int a);", "it has a primary constructor, which the generated constructor cannot call")]
    [InlineData(
        "partial class M { M() { } }",
        "it declares a constructor, which would create instances without weights; implement 'partial void OnBound()' instead")]
    [InlineData("partial class M : B; class B(int a);", "its base class 'B' has no constructor without parameters")]
    [InlineData("partial class M { public int Weights; }", "it declares 'Weights', which is generated")]
    [InlineData("partial class M { public void Dispose() { } }", "it declares 'Dispose', which is generated")]
    [InlineData(
        "partial class M : B; class B { public void Dispose() { } }",
        "it inherits 'Dispose' from 'B', which the generated one would hide")]
    [InlineData(
        "partial class M { public required int Size { get; init; } }",
        "its member 'Size' is required, and generated code cannot set it")]
    [InlineData(
        "partial class M : B; class B { public required int Size; }",
        "its member 'Size' is required, and generated code cannot set it")]
    public void A_class_that_cannot_hold_weights_is_an_error_that_says_why(string declaration, string reason)
    {
        Diagnostic diagnostic = Single(Attribute + declaration, Project.Snapshot(Tied));
        Assert.Equal("TW0005", diagnostic.Id);
        Assert.Equal($"'M' cannot hold weights: {reason}", diagnostic.GetMessage(null));
    }

    [Theory]
    [InlineData("partial struct M;", "it is a struct")]
    [InlineData("struct M;", "it is a struct")]
    [InlineData("readonly ref partial struct M;", "it is a struct")]
    [InlineData("partial struct M<T>;", "it is a struct")]
    [InlineData("partial record struct M(int A);", "it is a record struct")]
    [InlineData("partial interface M;", "it is an interface")]
    public void An_attribute_on_a_struct_or_an_interface_is_one_TW0005_and_no_compiler_error(string declaration, string reason)
    {
        GeneratedProject project = Project.GenerateWithoutChecks([Project.Snapshot(Tied)], "namespace N { " + Attribute + declaration + " }");
        Diagnostic diagnostic = Assert.Single(project.Diagnostics);
        Assert.Equal("TW0005", diagnostic.Id);
        Assert.Contains(reason, diagnostic.GetMessage(null), StringComparison.Ordinal);
        Assert.Empty(project.Compilation.GetDiagnostics(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("partial struct M;")]
    [InlineData("static partial class M;")]
    [InlineData("partial class M<T>;")]
    public void A_type_that_cannot_hold_weights_reports_no_second_error_for_its_source(string declaration) =>
        Assert.Equal("TW0005", Single("[TypedWeights.SafeTensorsModel(\"\")] " + declaration).Id);

    [Fact]
    public void A_missing_snapshot_names_a_snapshot_of_the_same_class_with_another_source()
    {
        string moved = Tied.Replace("weights.safetensors", "old/weights.safetensors", StringComparison.Ordinal);
        AdditionalText own = Project.Snapshot(moved.Replace("\"Model\"", "\"TinyModel\"", StringComparison.Ordinal), "Own");
        AdditionalText other = Project.Snapshot(moved, "Model");

        Diagnostic diagnostic = Single(Project.UserClass, own, other);

        Assert.Equal("TW0001", diagnostic.Id);
        Assert.StartsWith(
            "The project has no weight snapshot of 'weights.safetensors' (for a class of this name, Own.weights.json was "
            + "taken of 'old/weights.safetensors'); run: dotnet typedweights snapshot weights.safetensors ",
            diagnostic.GetMessage(null),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_suggested_snapshot_file_does_not_replace_a_snapshot_of_another_class()
    {
        string taken = Tied.Replace("weights.safetensors", "other.safetensors", StringComparison.Ordinal);

        Diagnostic first = Single(Project.UserClass, Project.Snapshot(taken, "TinyModel"));
        Diagnostic second = Single(Project.UserClass, Project.Snapshot(taken, "TINYMODEL"), Project.Snapshot(taken, "TinyModel.2"));

        Assert.Equal(
            "The project has no weight snapshot of 'weights.safetensors' (TinyModel.weights.json is for the class 'Model' and "
            + "was taken of 'other.safetensors'); run: "
            + "dotnet typedweights snapshot weights.safetensors -o weights/TinyModel.2.weights.json --class TinyModel",
            first.GetMessage(null));
        Assert.Contains("(TINYMODEL.weights.json is for the class 'Model'", second.GetMessage(null), StringComparison.Ordinal);
        Assert.Contains("-o weights/TinyModel.3.weights.json ", second.GetMessage(null), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("A", 300)]
    [InlineData("\u6a21", 90)]
    public void The_suggested_snapshot_file_has_a_name_that_fits_a_file_system(string letter, int count)
    {
        string name = string.Concat(Enumerable.Repeat(letter, count));
        string message = Single(Attribute + $"sealed partial class {name};").GetMessage(null);
        string file = message.Split("-o weights/")[1].Split(' ')[0];

        Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(file), 1, 220);
        Assert.EndsWith(".weights.json", file, StringComparison.Ordinal);
        Assert.EndsWith($" --class {name}", message, StringComparison.Ordinal);
        Assert.NotEqual(file, Single(Attribute + $"sealed partial class {name}B;").GetMessage(null).Split("-o weights/")[1].Split(' ')[0]);
    }

    [Theory]
    [InlineData("/p/weights/T", "/p/Weights/T", "Weights/T.weights.json, weights/T.weights.json")]
    [InlineData("/p/weights/a/T", "/p/weights/b/T", "a/T.weights.json, b/T.weights.json")]
    [InlineData("C:\\p\\weights\\T", "C:\\p\\weights\\b\\T", "T.weights.json, b/T.weights.json")]
    [InlineData("/p/weights/Ta", "/p/weights/Tb", "Ta.weights.json, Tb.weights.json")]
    public void Matching_snapshots_of_one_name_are_listed_with_their_folders(string one, string other, string shown)
    {
        Diagnostic diagnostic = Single(
            Project.UserClass, new ProjectFile(one + ".weights.json", Tied), new ProjectFile(other + ".weights.json", Tied));

        Assert.Equal("TW0003", diagnostic.Id);
        Assert.EndsWith($"'TinyModel': {shown}", diagnostic.GetMessage(null), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    [InlineData("utf-32")]
    public void A_snapshot_in_another_encoding_is_refused_with_the_message_of_the_snapshot_reader(string encoding)
    {
        var other = System.Text.Encoding.GetEncoding(encoding);
        byte[] file = [.. other.GetPreamble(), .. other.GetBytes(Tied)];
        SnapshotFormatException verified = Assert.Throws<SnapshotFormatException>(() => SnapshotReader.Read(file));

        Diagnostic diagnostic = Single(Project.UserClass, new EncodedFile(file));

        Assert.Equal("TW0002", diagnostic.Id);
        Assert.Equal($"The snapshot cannot be read: {verified.Message}", diagnostic.GetMessage(null));
    }

    // The compiler's decoder takes the code page of the project or the machine where a file is not UTF-8; some code pages are UTF-8 that replaces.
    [Theory]
    [InlineData("lm_head", "utf-8")]
    [InlineData("lm_head", "iso-8859-1")]
    [InlineData("weights.safetensors", "utf-8")]
    [InlineData("weights.safetensors", "iso-8859-1")]
    public void A_byte_that_is_not_UTF_8_is_refused_with_the_message_of_the_snapshot_reader(string before, string decoder)
    {
        int at = Tied.IndexOf(before, StringComparison.Ordinal);
        byte[] file = System.Text.Encoding.Latin1.GetBytes(Tied.Insert(at, "\u00e9"));
        SnapshotFormatException verified = Assert.Throws<SnapshotFormatException>(() => SnapshotReader.Read(file));

        Diagnostic diagnostic = Single(Project.UserClass, new EncodedFile(file, System.Text.Encoding.GetEncoding(decoder)));

        Assert.Equal("TW0002", diagnostic.Id);
        Assert.Equal($"The snapshot cannot be read: {verified.Message}", diagnostic.GetMessage(null));
        Assert.Equal(decoder == "utf-8" ? at : 0, diagnostic.Location.SourceSpan.Start);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_snapshot_that_contains_the_replacement_character_is_read(bool hasMark)
    {
        byte[] mark = hasMark ? System.Text.Encoding.UTF8.GetPreamble() : [];
        byte[] text = System.Text.Encoding.UTF8.GetBytes(Tied.Replace("lm_head", "\ufffd\u00e9", StringComparison.Ordinal));
        Assert.Empty(Project.GenerateWithoutChecks([new EncodedFile([.. mark, .. text])], Project.UserClass).Diagnostics);
    }

    [Fact]
    public void An_ASCII_snapshot_is_read_with_any_code_page_of_the_project()
    {
        var file = new EncodedFile(System.Text.Encoding.ASCII.GetBytes(Tied), System.Text.Encoding.Latin1);
        Assert.Empty(Project.GenerateWithoutChecks([file], Project.UserClass).Diagnostics);
    }

    [Fact]
    public void A_class_inside_a_generic_type_is_an_error() =>
        Assert.Equal(
            "'M' cannot hold weights: it is inside the generic type 'G'",
            Single("partial class G<T> { " + Attribute + " partial class M; }", Project.Snapshot(Tied)).GetMessage(null));

    [Fact]
    public void A_class_inside_a_type_that_is_local_to_its_file_is_an_error() =>
        Assert.Equal(
            "'M' cannot hold weights: 'F' around it is local to its file, and the generated code is in another file",
            Single("file partial class F { " + Attribute + " partial class M; }", Project.Snapshot(Tied)).GetMessage(null));

    [Fact]
    public void An_indexer_of_the_class_reserves_the_name_Item()
    {
        GeneratedProject project = Project.GenerateWithoutChecks(
            [Project.Snapshot(Snapshots.Text(Snapshots.Of(("item", "F32", [1]))))],
            Attribute + "sealed partial class M { internal int this[int index] => index; }");
        Assert.Equal("TW0008", Assert.Single(project.Diagnostics, diagnostic => diagnostic.Id == "TW0008").Id);
        Assert.Contains("Item_ =>", project.Source, StringComparison.Ordinal);
        project.AssertCompiles();
    }

    [Theory]
    [InlineData("\"\"", "The URI of the weights is empty.")]
    [InlineData("null!", "The URI of the weights is empty.")]
    [InlineData(
        "\"https://:hunter2@/x\"",
        "The https URI of the weights has no valid host and port (the text is not shown because it may contain a password).")]
    public void A_source_that_is_not_a_URI_is_an_error_that_does_not_show_it(string argument, string message)
    {
        Diagnostic diagnostic = Single($"[TypedWeights.SafeTensorsModel({argument})] partial class M;");
        Assert.Equal("TW0006", diagnostic.Id);
        Assert.Equal("The source of 'M' cannot be read: " + message, diagnostic.GetMessage(null));
    }

    [Fact]
    public void Names_that_were_made_distinct_are_reported_as_information()
    {
        string snapshot = Snapshots.Text(Snapshots.Of(("fooBar", "F32", [1]), ("foo_bar", "F32", [1]), ("get_type", "F32", [1])));
        Diagnostic diagnostic = Single(Project.UserClass, Project.Snapshot(snapshot));
        Assert.Equal(("TW0007", DiagnosticSeverity.Info), (diagnostic.Id, diagnostic.Severity));
        Assert.StartsWith("3 of the names in 'TinyModel' collide or are reserved", diagnostic.GetMessage(null), StringComparison.Ordinal);
        Assert.Contains("'get_type' is GetType_", diagnostic.GetMessage(null), StringComparison.Ordinal);
    }

    [Fact]
    public void A_member_of_the_class_with_the_name_of_a_weight_is_a_warning()
    {
        GeneratedProject project = Project.GenerateWithoutChecks(
            [Project.Snapshot(Tied)],
            Attribute + "sealed partial class M { internal static int Model() => 1; internal int LmHeadWeights = 2; }");
        Diagnostic diagnostic = Assert.Single(project.Diagnostics, diagnostic => diagnostic.Id == "TW0008");
        Assert.Equal(DiagnosticSeverity.Warning, diagnostic.DefaultSeverity);
        Assert.Equal("'M' declares or inherits 'Model', so the weight 'model' is named 'Model_'", diagnostic.GetMessage(null));
        Assert.Contains("Model_ { get; }", project.Source, StringComparison.Ordinal);
        project.AssertCompiles();
    }

    [Fact]
    public void A_pragma_suppresses_a_diagnostic()
    {
        string source = "#pragma warning disable TW0008\n" + Attribute + "sealed partial class M { internal int Model() => 1; }";
        GeneratedProject project = Project.GenerateWithoutChecks([Project.Snapshot(Tied)], source);
        Assert.DoesNotContain(project.Diagnostics, diagnostic => diagnostic.Id == "TW0008" && !diagnostic.IsSuppressed);
    }

    [Fact]
    public void The_attribute_on_two_parts_of_a_class_is_only_a_compiler_error()
    {
        GeneratedProject project = Project.GenerateWithoutChecks(
            [Project.Snapshot(Tied)], $"{Attribute} partial class M;", $"{Attribute} partial class M;");
        Assert.Single(project.Result.GeneratedTrees);
        Assert.Empty(project.Diagnostics);
        Assert.Contains(project.Compilation.GetDiagnostics(TestContext.Current.CancellationToken), diagnostic => diagnostic.Id == "CS0579");
    }

    [Fact]
    public void Every_diagnostic_has_a_page_in_the_docs()
    {
        string docs = Path.Combine(Repository(), "docs", "diagnostics");
        Assert.All(Descriptors.All, descriptor =>
        {
            Assert.EndsWith($"docs/diagnostics/{descriptor.Id}.md", descriptor.HelpLinkUri, StringComparison.Ordinal);
            string page = File.ReadAllText(Path.Combine(docs, descriptor.Id + ".md"));
            Assert.StartsWith($"# {descriptor.Id}: {descriptor.Title}", page, StringComparison.Ordinal);
        });
        Assert.Equal(13, Descriptors.All.Count());
    }

    private static Diagnostic Single(string source, params AdditionalText[] snapshots) =>
        Assert.Single(Project.GenerateWithoutChecks(snapshots, source).Diagnostics);

    /// <summary>A file as the compiler reads it: it looks at the byte order mark.</summary>
    private sealed class EncodedFile(byte[] bytes, System.Text.Encoding? encoding = null) : AdditionalText
    {
        public override string Path => "/project/weights/TinyModel.weights.json";

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(bytes, bytes.Length, encoding);
    }

    private static string Repository([System.Runtime.CompilerServices.CallerFilePath] string path = "") =>
        Path.Combine(Path.GetDirectoryName(path)!, "..", "..", "..");
}
