namespace TrainStory.Stories.Plots;

/// <summary>An old map leads the hero and a friend to something better than gold.</summary>
internal sealed class Treasure : Plot
{
    private readonly string _map;
    private readonly string _place;
    private readonly string _treasure;
    private readonly string _use;

    public Treasure(Dice dice)
        : base(dice)
    {
        _map = dice.Pick("in an old book", "under the bed", "behind the stove", "in a bottle", "in an old box");
        _place = dice.Pick("old oak tree", "well", "bridge", "mill", "big rock");
        (_treasure, _use) = dice.Pick(
            ("an old flute", "They took turns and played until it was dark."),
            ("a bag of seeds", "They put the seeds into the ground, and soon there were flowers everywhere."),
            ("a book of stories", "They sat down in the grass and read one story after the other."),
            ("a box of colors", "They painted the whole world in red and blue and yellow."),
            ("a jar of buttons", "They made a long string of buttons for the door."),
            ("two silver bells", "Each of them took one, and they rang them all the way home."));
    }

    private string There => _treasure.StartsWith("two", StringComparison.Ordinal) ? "were" : "was";

    protected override string Moral =>
        "[a good friend is better than gold|the best treasure is a friend|everything is easier with a friend]";

    protected override IEnumerable<string> Paragraphs()
    {
        yield return $"{Opening} {Day} {Hero} found a map {_map}. "
            + $"[There was a red cross on it|It showed a red cross], right beside the {_place}.";
        yield return Dice.Pick(
            $"“A treasure!” [said|shouted] {Hero} and ran to {Hero.Her} friend {Pal.Acquaintance}.",
            $"{Hero} showed the map to {Hero.Her} friend {Pal.Acquaintance}.")
            + $" “[I do not want to go alone|I cannot find it alone|We can find it together],” {Hero.She} said. "
            + $"“[Let us go at once|I will bring a light|I will come with you],” [said|answered] {Pal}. "
            + $"They walked [for an hour|over the hill and through the forest] to the {_place}. "
            + "There they dug [and dug|a deep hole], and at last they found a [wooden|rusty] box.";
        yield return $"Was it full of gold? No, [in it there {There}|inside {There}] {_treasure}. "
            + $"[At first {Hero} was sad, but {Pal} laughed.|“This is much better than gold,” said {Pal}.] {_use} {Ending}";
    }
}
