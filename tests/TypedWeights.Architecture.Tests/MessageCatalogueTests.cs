using TypedWeights.Tests;

namespace TypedWeights.Architecture.Tests;

public sealed class MessageCatalogueTests
{
    [Fact]
    public void Every_text_that_a_user_can_read_is_in_the_catalogue() =>
        Verified.Verify(MessageCatalogue.Of(SourceFiles.In("src", "generators")), "txt", method: "Texts");

    [Fact]
    public void A_text_is_shown_whole_with_its_placeholders() => Assert.Equal(
        """
        App / Check
            the header lists {name} twice; the {(count == 2 ? "second" : "last")} one is at byte {offset:N0}.

        """.ReplaceLineEndings("\n"),
        MessageCatalogue.Of([("src/App/Check.cs", """
            class Check
            {
                string Of() => $"the header lists {name} twice; " + $"the {(count == 2
                    ? "second" : "last")} one is at byte {offset:N0}.";
                string Key => "no-text";
            }
            """)]));
}
