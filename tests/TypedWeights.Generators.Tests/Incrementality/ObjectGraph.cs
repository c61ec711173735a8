using System.Collections;
using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace TypedWeights.Generators.Tests.Incrementality;

/// <summary>Walks everything that a value holds.</summary>
internal static class ObjectGraph
{
    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static readonly Type[] Live =
    [
        typeof(Compilation), typeof(ISymbol), typeof(SyntaxNode), typeof(SyntaxTree), typeof(SyntaxReference), typeof(Location),
        typeof(AdditionalText),
        typeof(SourceText), typeof(AttributeData), typeof(SemanticModel), typeof(Diagnostic), typeof(Delegate),
    ];

    public static void AssertHoldsNothingLive(object value, string step)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var open = new Stack<object>([value]);
        int visited = 0;
        while (open.TryPop(out object? at))
        {
            if (!seen.Add(at))
            {
                continue;
            }

            visited++;
            Type type = at.GetType();
            Assert.False(Array.Exists(Live, live => live.IsInstanceOfType(at)), $"{step} holds a {type}");
            if (type.IsPrimitive || type.IsEnum || at is string)
            {
                continue;
            }

            if (at is Array array)
            {
                foreach (object? item in (IEnumerable)array)
                {
                    Push(open, item);
                }

                continue;
            }

            for (Type? part = type; part is not null; part = part.BaseType)
            {
                foreach (FieldInfo field in part.GetFields(Fields))
                {
                    Push(open, field.GetValue(at));
                }
            }
        }

        Assert.True(visited > 3, "the walk saw nothing");
    }

    private static void Push(Stack<object> open, object? item)
    {
        if (item is not null)
        {
            open.Push(item);
        }
    }
}
