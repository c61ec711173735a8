namespace TrainStory.Stories.Plots;

/// <summary>The hero gives up a race to help somebody.</summary>
internal sealed class Race : Plot
{
    private readonly string _prize;
    private readonly string _goal;
    private readonly string _hurt;

    public Race(Dice dice)
        : base(dice)
    {
        _prize = dice.Pick("a golden cup", "a big cake", "a silver bell", "a red ribbon", "a basket of apples");
        _goal = dice.Pick("bridge", "mill", "old oak tree", "barn", "hill");
        _hurt = dice.Pick("knee", "foot", "arm");
    }

    protected override string Moral =>
        "[being kind is better than being first|a friend is the best prize of all|there is always another race]";

    protected override IEnumerable<string> Paragraphs()
    {
        yield return $"{Opening} [In summer|Every spring|Every year] there was a [great |]race to the {_goal}, and the prize was {_prize}. "
            + $"{Hero} wanted to win [it|the race] [more than anything|this year].";
        yield return $"[Ready, steady, go!|One, two, three, go!] {Hero} ran as fast as {Hero.She} could. "
            + $"Soon {Hero.She} was first, and {Hero.She} could see the {_goal}. Then {Hero.She} heard [someone cry|a cry]. "
            + $"{Pal.Introduction} had fallen and hurt {Pal.Her} {_hurt}. "
            + $"{Hero} [stopped|turned around] at once and [ran back|went back]. "
            + $"“My {_hurt} hurts so much, and I cannot run,” said {Pal}. "
            + $"“Do not worry. [I will stay with you|Hold on to me],” said {Hero}. "
            + $"{Hero.She} [washed the {_hurt} with cold water|put a leaf on the {_hurt}], "
            + $"and slowly they walked to the {_goal} together.";
        yield return Dice.Pick(
            $"They were the last, but everyone clapped. {Pal} hugged {Hero}.",
            $"Someone else won the prize, but {Hero} did not mind. {Hero.She} had a new friend.",
            $"They came last. But {Hero.Her} {Family} said, “I am very proud of you, {Hero}.”") + " " + Ending;
    }
}
