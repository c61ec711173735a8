using System.Globalization;
using System.Text;

namespace TypedWeights.Manifests;

/// <summary>Whole numbers as text, rising runs drawn together: <c>0..4,60,61</c>.</summary>
internal static class IndexRuns
{
    public static string Text(IReadOnlyList<int> numbers, char separator)
    {
        var text = new StringBuilder();
        for (int i = 0; i < numbers.Count;)
        {
            int end = i;
            while (end + 1 < numbers.Count && numbers[end + 1] == numbers[end] + 1)
            {
                end++;
            }

            // Two neighbours are shorter as two numbers.
            if (end == i + 1)
            {
                end = i;
            }

            if (text.Length > 0)
            {
                text.Append(separator);
            }

            text.Append(numbers[i].ToString(CultureInfo.InvariantCulture));
            if (end > i)
            {
                text.Append("..").Append(numbers[end].ToString(CultureInfo.InvariantCulture));
            }

            i = end + 1;
        }

        return text.ToString();
    }
}
