namespace TrainStory.Stories.Plots;

/// <summary>The wind carries something to a place that the hero cannot reach.</summary>
internal sealed class Stuck : Rescue
{
    private readonly string _thing;
    private readonly string _top;
    private readonly string _where;

    public Stuck(Dice dice)
        : base(dice, Skill.Flying, Skill.Climbing, Skill.Height)
    {
        _thing = Color + " " + dice.Pick("kite", "balloon", "hat", "scarf", "paper bird");
        (_top, _where) = dice.Pick(("tree", "in a tall tree"), ("tree", "in an old oak tree"), ("roof", "on the roof of the barn"),
            ("roof", "on the roof of the mill"), ("rock", "on a high rock"));
    }

    protected override string Wish => Dice.Pick(
        $"{Day} {Hero} [wanted to play|went out] with {Hero.Her} new {_thing}. It was a present from {Hero.Her} {Family}.",
        $"For {Hero.Her} birthday, {Hero.Her} {Family} gave {Hero.Him} a {_thing}. "
        + $"The next day {Hero.She} took it to the [meadow|hill].");

    protected override string Trouble =>
        $"[But then|Suddenly] a strong wind [carried|blew] the {_thing} [up and away|high into the air], "
        + $"and it [got stuck|landed] {_where}. " + Dice.Pick(
        $"{Hero.She} jumped [again and again|as high as {Hero.She} could], but {Hero.She} could not reach it.",
        $"{Hero.She} threw a stick at it, but it did not move.",
        $"{Hero.She} stood on [a box|a bucket|{Hero.Her} toes], but {Hero.She} was still too small.");

    protected override string Complaint => Dice.Pick(
        $"My {_thing} is stuck {_where}",
        $"The wind took my {_thing}, and I cannot reach it");

    protected override (string Offer, string Deed) Help => Cure switch
    {
        Skill.Flying => (
            "[I have wings|I can fly]",
            $"{Pal} [spread {Pal.Her} wings and flew|flew] up to the {_top}. Soon {Pal.She} came back with the {_thing}."),
        Skill.Climbing => (
            "[I can climb up there|I am good at climbing]",
            $"{Pal} climbed [up|higher and higher], took the {_thing}, and [carefully |]brought it down."),
        _ => (
            "[I am very tall|I have a long neck]",
            $"{Pal} stretched {Pal.Her} long neck and [took|pulled] the {_thing} from the {_top}."),
    };

    protected override string Reward => Dice.Pick(
        $"All [day|afternoon] they played with the {_thing}.",
        $"Then they took turns with the {_thing} [in the meadow|until the sun went down].",
        "");
}
