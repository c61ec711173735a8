namespace TrainStory.Stories.Plots;

/// <summary>Something in the dark frightens the hero, and turns out to be harmless.</summary>
internal sealed class Darkness : Rescue
{
    private readonly string _place;
    private readonly string _sound;
    private readonly string _truth;

    public Darkness(Dice dice)
        : base(dice)
    {
        _place = dice.Pick("forest", "valley", "cave", "barn", "garden");
        (_sound, _truth) = dice.Pick(
            ("a long low sound", "a sleepy cow"), ("a loud bang", "an old door in the wind"), ("a strange song", "a fat frog"),
            ("a soft knocking sound", "a branch in the wind"),
            ("a terrible scream", "two cats"), ("a funny whistle", "the wind in the chimney"));
    }

    protected override string Wish => Dice.Pick(
        $"One night {Hero} had to go through the dark {_place} to bring {Hero.Her} {Family} [a letter|some bread|a blanket].",
        $"One evening {Hero} stayed in the {_place} too long, and suddenly it was dark.",
        $"{Hero.She} wanted to spend one night in the {_place}, all alone.");

    protected override string Trouble => $"[All was quiet|The moon was behind the clouds]. Then {Hero.She} heard {_sound}. " + Dice.Pick(
        $"{Hero} [wanted to run|ran behind a tree], but {Hero.Her} legs were shaking.",
        $"{Hero.She} closed {Hero.Her} eyes and did not dare to move.",
        $"“Who is there?” called {Hero}, but nobody answered.");

    protected override string Feeling => $"[{Hero} was very much afraid|{Hero.Her} heart beat fast|{Hero} held {Hero.Her} breath].";

    protected override string Question => "[What is wrong|What is the matter|Why are you shaking]";

    protected override bool EndsThatDay => false;

    protected override string Complaint => $"I am afraid. I heard {_sound}";

    protected override (string Offer, string Deed) Help => (
        "[Let us look together|I have a lantern. Let us go and see|Take my hand. We will look together]",
        $"[Slowly|Step by step] they went [on|closer]. And what did they find? It was only {_truth}!");

    protected override string Reward => Dice.Pick(
        "They laughed until their bellies hurt.",
        $"{Hero} laughed. After that, {Hero.She} was not afraid of the {_place} any more.",
        $"Then {Pal} took {Hero} home through the {_place}.");

    protected override string Moral =>
        "[the dark is only half as dark with a friend|it is good to look twice|even the brave are afraid sometimes]";
}
