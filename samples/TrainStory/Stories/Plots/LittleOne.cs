namespace TrainStory.Stories.Plots;

/// <summary>The hero finds a lost child and, with a friend, its mother.</summary>
internal sealed class LittleOne : Rescue
{
    private readonly string _child;
    private readonly string _mother;
    private readonly string _place;
    private readonly string _where;

    public LittleOne(Dice dice)
        : base(dice, Skill.Flying, Skill.Nose)
    {
        (_child, _mother) = dice.Pick(
            ("duckling", "duck"), ("chick", "hen"), ("kitten", "cat"), ("calf", "cow"), ("foal", "horse"), ("lamb", "sheep"));
        _place = dice.Pick("behind the hedge", "in a ditch", "under a bush", "beside the path");
        _where = dice.Pick("by the pond", "behind the barn", "on the other side of the hill", "near the mill", "at the edge of the forest");
    }

    protected override string Wish => Dice.Pick(
        $"{Day} {Hero} was walking home when {Hero.She} heard someone cry.",
        $"{Day} {Hero} went out to pick berries. Then {Hero.She} heard someone cry.");

    protected override string Trouble =>
        $"It was a [little|tiny] {_child}, and it sat {_place}. “I want my mother!” it cried. " + Dice.Pick(
        $"{Hero} gave it some [water|milk], but it did not stop crying.",
        $"{Hero} looked [everywhere|up and down the path] for the mother, but {Hero.She} could not find her.",
        $"“Do not be afraid,” said {Hero}, but {Hero.She} did not know where to look.");

    protected override string Question => "[What is wrong|What is the matter|What are you doing here]";

    protected override string Complaint => $"This little {_child} has lost its mother";

    protected override (string Offer, string Deed) Help => Cure switch
    {
        Skill.Flying => (
            "[I will look from the air|I can see far from up there]",
            $"{Pal} flew up high and looked around. There was a {_mother} {_where}!"),
        _ => (
            "[I have a good nose|I can follow her smell]",
            $"{Pal} sniffed the ground and ran ahead. At last they found a {_mother} {_where}."),
    };

    protected override IEnumerable<string> Paragraphs()
    {
        yield return $"{Opening} {Wish}";
        (string offer, string deed) = Help;
        yield return $"{Trouble} {Meeting(offer)}";
        yield return $"{deed} {Reward} {Ending}";
    }

    protected override string Reward => Dice.Pick(
        $"“My [baby|child]!” cried the {_mother}. “Thank you, {Hero}. Thank you, {Pal}.”",
        $"The {_child} ran to its mother, and the {_mother} [thanked them both|was so happy].");

    protected override string Moral => "[it is good to help others|two can do more than one|a mother is worth more than gold]";
}
