using System.Text;

namespace TypedWeights.Generators.Emit;

/// <summary>Lines of indented source. Every opened block must be closed before the text is read.</summary>
internal sealed class SourceWriter
{
    private const int SpacesALevel = 4;

    private readonly StringBuilder _text = new();
    private int _level;

    /// <summary>Writes a line, or an empty one.</summary>
    public void Line(string line = "")
    {
        if (line.Length > 0)
        {
            _text.Append(' ', _level * SpacesALevel).Append(line);
        }

        _text.Append('\n');
    }

    /// <summary>Writes the lines of a text that ends without a line break.</summary>
    public void Lines(string text)
    {
        foreach (string line in text.Split('\n'))
        {
            Line(line);
        }
    }

    public void Open(string? header = null)
    {
        if (header is not null)
        {
            Line(header);
        }

        Line("{");
        _level++;
    }

    public void Close(string end = "}")
    {
        _level--;
        Line(end);
    }

    /// <summary>Lines one level deeper than those around them.</summary>
    public void Indented(string text)
    {
        _level++;
        Lines(text);
        _level--;
    }

    public override string ToString() => _level == 0
        ? _text.ToString()
        : throw new InvalidOperationException($"the source ends {_level} levels deep");
}
