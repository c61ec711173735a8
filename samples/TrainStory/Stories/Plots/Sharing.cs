namespace TrainStory.Stories.Plots;

/// <summary>The hero shares the last bite, and it comes back.</summary>
internal sealed class Sharing : Plot
{
    private readonly string _food;
    private readonly string _place;

    public Sharing(Dice dice)
        : base(dice)
    {
        _food = dice.Pick("piece of bread", "apple", "pear", "piece of cheese", "carrot", "piece of cake");
        _place = dice.Pick("river", "forest", "hill", "lake", "sea");
    }

    protected override bool EndsThatDay => false;

    protected override string Moral =>
        "[half a meal with a friend is better than a whole one alone|it is good to share|kind words cost nothing]";

    protected override IEnumerable<string> Paragraphs()
    {
        yield return $"{Opening} {Day} {Hero} [walked|set out] to the {_place}. {Hero.She} had only one {_food} in {Hero.Her} bag, "
            + $"and {Hero.She} was [very hungry|saving it for the evening].";
        yield return $"On the way {Hero.She} met {Pal.Introduction}. "
            + $"“[I am so hungry|I have had nothing to eat all day],” said {Pal}. " + Dice.Pick(
            $"{Hero} looked at the {_food} and thought for a moment.",
            $"{Hero} was hungry too, and the {_food} was small.")
            + $" “We will share it,” said {Hero}. So {Hero.She} [cut|broke] the {_food} in two, and they sat down and ate.";
        yield return Dice.Pick(
            $"Later {Hero} could not find the way home. Luckily {Pal} knew it and went with {Hero.Him}.",
            $"The next morning there was a basket at {Hero.Her} door, full of [apples|nuts|berries]. It was from {Pal}.",
            $"Then it began to rain. “Come to my house,” said {Pal}, "
            + "and there they sat by the fire and [drank hot milk|were warm and dry].") + " " + Ending;
    }
}
