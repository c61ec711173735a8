namespace TypedWeights.Generators.Emit;

/// <summary>Writes documentation comments of plain text.</summary>
internal static class Documentation
{
    public static void Write(SourceWriter writer, string summary, IReadOnlyList<string> remarks)
    {
        writer.Line($"/// <summary>{Literals.Xml(summary)}</summary>");
        if (remarks.Count == 1)
        {
            writer.Line($"/// <remarks>{Literals.Xml(remarks[0])}</remarks>");
        }
        else if (remarks.Count > 1)
        {
            writer.Line("/// <remarks>");
            foreach (string paragraph in remarks)
            {
                writer.Line($"/// <para>{Literals.Xml(paragraph)}</para>");
            }

            writer.Line("/// </remarks>");
        }
    }
}
