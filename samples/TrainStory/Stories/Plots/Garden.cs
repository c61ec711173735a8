namespace TrainStory.Stories.Plots;

/// <summary>A seed will not grow until somebody knows what it needs.</summary>
internal sealed class Garden : Rescue
{
    private readonly string _plant;
    private readonly string _many;

    public Garden(Dice dice)
        : base(dice)
    {
        (_plant, _many) = dice.Pick(
            ("sunflower", "flowers"), ("strawberry", "strawberries"), ("pumpkin", "pumpkins"), ("bean", "beans"),
            ("rose", "flowers"), ("melon", "melons"));
    }

    protected override string Wish => Dice.Pick(
        $"In spring {Hero.Her} {Family} gave {Hero.Him} a {_plant} seed, and {Hero} put it into the ground.",
        $"{Hero.She} wanted to have a garden full of {_many}. So {Hero.She} put a {_plant} seed into the ground.");

    protected override string Trouble => Dice.Pick(
        $"[Every day|Every morning] {Hero} looked at the ground, but nothing grew.",
        $"{Hero.She} waited one day, two days, three days, but nothing grew.") + " " + Dice.Pick(
        $"{Hero.She} sang to it. {Hero.She} danced around it. Still nothing grew.",
        "The sun was hot, and the ground was [hard and dry|as dry as bread].");

    protected override bool EndsThatDay => false;

    protected override string Complaint => Dice.Pick($"My {_plant} does not grow", $"I wanted a {_plant}, but nothing grows");

    protected override (string Offer, string Deed) Help => Dice.Pick(
        (
            "[It needs water|It is only thirsty]",
            "They [brought water from the river|filled a bucket at the well], "
            + "and every [day|evening] they gave the seed [a little|some] water."),
        (
            "[It needs time|You must wait a little longer]",
            "So they waited [together|for the rain], and one night the rain came."));

    protected override IEnumerable<string> Paragraphs()
    {
        yield return $"{Opening} {Wish}";
        (string offer, string deed) = Help;
        yield return $"{Trouble} {Feeling} {Meeting(offer)} {deed}";
        yield return "[Then, one morning,|One day] there was a [tiny|little] green leaf. It grew and grew, "
            + $"and in summer the garden was full of {_many}. {Reward} {Ending}";
    }

    protected override string Reward => Dice.Pick(
        $"{Hero} gave [the best|half] of them to {Pal}.",
        $"{Hero} gave the first one to {Hero.Her} {Family} and the second one to {Pal}.",
        Thanks);

    protected override string Moral => "[good things take time|it is good to wait|it is good to ask for help]";
}
