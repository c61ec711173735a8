namespace TrainStory.Stories.Plots;

/// <summary>Something is too heavy for the hero alone.</summary>
internal sealed class Heavy : Rescue
{
    private readonly string _thing;
    private readonly string _meal;
    private readonly string _place;

    public Heavy(Dice dice)
        : base(dice, Skill.Strength, Skill.Smallness)
    {
        (_thing, _meal) = dice.Pick(
            ("pumpkin", "soup"), ("turnip", "soup"), ("cabbage", "soup"), ("carrot", "soup"),
            ("pear", "cake"), ("apple", "cake"), ("melon", "cake"));
        _place = dice.Pick("garden", "field", "orchard", "meadow");
    }

    protected override string Wish => Dice.Pick(
        $"{Day} {Hero} found a [huge|very big] {_thing} in the {_place}. "
        + $"“I will [bring|take] it to my {Family},” {Hero.She} [said|thought].",
        $"{Day} {Hero.Her} {Family} wanted to make {_meal}, so {Hero} went to the {_place}. "
        + $"There {Hero.She} found a [huge|very big] {_thing}.");

    protected override string Trouble => $"But the {_thing} was [much too|very] heavy. " + Dice.Pick(
        $"{Hero} pulled and pulled, but it did not move.",
        $"{Hero} pushed with all {Hero.Her} strength, but it did not move.",
        $"{Hero} pushed and pulled until {Hero.She} was [tired|out of breath].");

    protected override string Complaint => Dice.Pick(
        $"I want to take this {_thing} home, but it is too heavy", $"This {_thing} is too heavy for me");

    protected override (string Offer, string Deed) Help => Cure switch
    {
        Skill.Strength => (
            "[I am very strong|I have a strong back]",
            $"{Pal} [lifted|took] the {_thing} onto {Pal.Her} back and carried it [home|all the way home]."),
        _ => (
            "[I am small, but I have many brothers and sisters|I will call my brothers and sisters]",
            $"{Pal} whistled, and ten little {Pal.Kind.Plural} came [running|to help]. "
            + $"They all pushed together, and the {_thing} rolled [home|all the way home]."),
    };

    protected override string Reward => _meal == "soup"
        ? $"{Hero.Her} {Family} [cooked|made] a big pot of soup, and there was enough for everyone."
        : $"{Hero.Her} {Family} baked a cake, and [it was very sweet|they all ate a big piece].";

    protected override string Moral => "[many hands make light work|two can do more than one|it is good to ask for help]";
}
