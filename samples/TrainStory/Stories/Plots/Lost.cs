namespace TrainStory.Stories.Plots;

/// <summary>Something small is lost and has to be found.</summary>
internal sealed class Lost : Rescue
{
    private readonly string _thing;
    private readonly string _place;
    private readonly string _spot;

    public Lost(Dice dice)
        : base(dice, Skill.Flying, Skill.Nose, Skill.Smallness)
    {
        _thing = dice.Pick("silver", "golden", "little", "shiny", "wooden") + " "
            + dice.Pick("key", "ring", "bell", "whistle", "button", "spoon");
        (_place, _spot) = dice.Pick(
            ("in the garden", "under a cabbage leaf"),
            ("in the tall grass", "under a white flower"), ("in the hay", "between two bags of corn"),
            ("in the forest", "under the root of a tree"), ("on the beach", "under a shell"), ("near the river", "behind a small stone"));
    }

    protected override string Wish => Dice.Pick(
        $"{Hero.She} had a {_thing} from {Hero.Her} {Family}. {Hero} [loved it|was very proud of it].",
        $"{Hero.She} always carried a {_thing} in {Hero.Her} bag.");

    protected override string Trouble => Dice.Pick(
        $"{Day} {Hero} played {_place}. When {Hero.She} [came home|wanted to go home], the {_thing} was gone.",
        $"{Day}, while {Hero} was playing {_place}, {Hero.She} lost the {_thing}.") + " " + Dice.Pick(
        $"{Hero.She} looked [here and there|everywhere|for a long time], but {Hero.She} could not find it.",
        $"{Hero.She} looked [left and right|under every stone], but it was not there.");

    protected override string Complaint => $"I lost my {_thing} {_place}";

    protected override (string Offer, string Deed) Help => Cure switch
    {
        Skill.Flying => (
            "[I have sharp eyes|I can see it from the air]",
            $"{Pal} flew [round and round|high up] and looked down. Something was shining {_spot}. It was the {_thing}!"),
        Skill.Nose => (
            "[I have a good nose|My nose can find anything]",
            $"{Pal} sniffed [here and there|and sniffed], and soon {Pal.She} found the {_thing} {_spot}."),
        _ => (
            "[I can look where you cannot|I am small and can go anywhere]",
            $"{Pal} crept [here and there|between the stones], and soon {Pal.She} found the {_thing} {_spot}."),
    };

    protected override string Reward => Dice.Pick(
        $"{Hero} held the {_thing} [tightly|in {Hero.Her} hand] all the way home.",
        $"After that, {Hero.She} [|always ]took good care of the {_thing}.",
        $"{Hero.She} gave {Pal} [a sweet apple|a big hug|a piece of cake].");

    protected override string Moral => "[two can do more than one|four eyes see more than two|it is good to ask for help]";
}
