namespace TrainStory.Stories.Plots;

/// <summary>Something falls into the water.</summary>
internal sealed class Overboard : Rescue
{
    private readonly string _thing;
    private readonly string _water;

    public Overboard(Dice dice)
        : base(dice, Skill.Swimming, Skill.Flying)
    {
        _thing = Color + " " + dice.Pick("ball", "boat", "hat", "basket", "drum");
        _water = dice.Pick("river", "lake", "pond", "sea");
    }

    protected override string Wish => Dice.Pick(
        $"{Day} {Hero} took {Hero.Her} {_thing} to the {_water}.",
        $"{Hero.She} had a {_thing}, and {Day} {Hero.She} wanted to play with it by the {_water}.",
        $"{Hero.Her} {Family} had made a {_thing} for {Hero.Him}, and {Hero} took it to the {_water}.");

    protected override string Trouble => Dice.Pick(
        $"[But then|Suddenly] {Hero} slipped, and the {_thing} fell into the {_water}.",
        $"[But then|Suddenly] the {_thing} rolled away and fell into the {_water}.") + " " + Dice.Pick(
        $"{Hero.She} tried to reach it with a stick, but the stick was too short.",
        $"It drifted [far away|away], and the water was [too deep|cold and deep].",
        $"{Hero.She} [waited and waited|waited for a long time], but it did not come back.");

    protected override string Complaint => Dice.Pick(
        $"My {_thing} fell into the {_water}", $"My {_thing} is in the {_water}, and I cannot get it");

    protected override (string Offer, string Deed) Help => Cure switch
    {
        Skill.Swimming => (
            "[I can swim very well|I love to swim]",
            $"[Splash!|] {Pal} [jumped|dived] into the {_water} and [soon|a moment later] came back with the {_thing}."),
        _ => (
            "[I have wings|I can fly over the water]",
            $"{Pal} flew over the {_water}, picked up the {_thing}, and brought it back."),
    };

    protected override string Reward => Dice.Pick(
        $"The {_thing} was wet, but {Hero} did not mind.",
        $"They put the {_thing} in the sun until it was dry.",
        $"Then they played with the {_thing} far away from the {_water}.");
}
