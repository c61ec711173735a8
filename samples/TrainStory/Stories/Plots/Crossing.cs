namespace TrainStory.Stories.Plots;

/// <summary>The hero wants to visit somebody, but the way is blocked.</summary>
internal sealed class Crossing : Rescue
{
    private readonly string _cousin;
    private readonly string _gift;

    public Crossing(Dice dice)
        : base(dice, Skill.Swimming, Skill.Strength)
    {
        _cousin = dice.Pick("cousin", "teacher", "sister", "brother", "old friend");
        _gift = dice.Pick("basket of eggs", "pot of honey", "loaf of bread", "jar of jam", "bunch of flowers", "warm blanket");
    }

    protected override string Wish => Dice.Pick(
        $"{Day} {Hero} wanted to visit {Hero.Her} {_cousin} on the other side of the river. {Hero.She} took a {_gift} with {Hero.Him}.",
        $"{Day} {Hero.Her} {Family} said, “Please bring a {_gift} to your {_cousin}.” So {Hero} set out for the other side of the river.");

    protected override string Trouble => Dice.Pick(
        $"But when {Hero.She} came to the river, the bridge was gone.",
        "But the rain had washed the bridge away.",
        "But the old bridge was broken.") + " " + Dice.Pick(
        $"{Hero} walked up and down, but there was no other way.",
        $"The water was [deep and fast|cold and deep], and {Hero} could not swim.");

    protected override string Complaint => Dice.Pick(
        $"I must go to my {_cousin}, but the bridge is gone", $"I want to visit my {_cousin}, but I cannot cross the river");

    protected override (string Offer, string Deed) Help => Cure switch
    {
        Skill.Swimming => (
            "[I will bring a boat|I know this river well]",
            $"{Pal} [swam away and |]came back with a little boat. {Hero} sat down in the boat, and {Pal} pulled it to the other side."),
        _ => (
            "[I am very strong|I will make a new bridge]",
            $"{Pal} [pushed a big tree|laid three long logs] over the river, and now {Hero} could walk to the other side."),
    };

    protected override string Reward => Dice.Pick(
        $"{Hero} gave {Hero.Her} {_cousin} the {_gift}, and they all [drank tea|had tea and cake].",
        $"{Hero.Her} {_cousin} was [so glad|very happy] about the {_gift}.");
}
