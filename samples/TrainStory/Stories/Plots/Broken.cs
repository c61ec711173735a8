namespace TrainStory.Stories.Plots;

/// <summary>Something breaks, and the friend repairs it with the right tool.</summary>
internal sealed class Broken : Rescue
{
    private readonly string _thing;
    private readonly string _color;
    private readonly string _break;
    private readonly string _tool;
    private readonly string _repair;
    private readonly string _use;

    public Broken(Dice dice)
        : base(dice)
    {
        _color = dice.Pick("red", "blue", "yellow", "green", "white", "old");
        (_thing, _break, _tool, _repair, _use) = dice.Pick(
            ("cart", "a wheel came off", "a hammer and some nails", "put the wheel back", "rode down the hill in the cart"),
            ("boat", "water came in through a hole", "a board and some nails", "closed the hole", "sailed the boat across the pond"),
            ("drum", "it got a big hole", "a needle and thread", "closed the hole", "played the drum and marched through the village"),
            ("swing", "the rope broke", "a strong new rope", "tied it to the branch", "took turns on the swing"),
            ("doll", "an arm came off", "a needle and thread", "sewed the arm on again", "made a new dress for the doll"),
            ("chair", "a leg broke", "a pot of glue", "put the leg back", "sat by the fire and drank hot milk"),
            ("kite", "the string broke", "a ball of string", "made a good knot", "flew the kite until it was dark"));
    }

    protected override string Wish => Dice.Pick(
        $"{Hero.She} had a {_color} {_thing} that {Hero.Her} {Family} had made.",
        $"Of all {Hero.Her} things, {Hero.She} loved {Hero.Her} {_color} {_thing} best.");

    protected override string Trouble => Dice.Pick(
        $"{Day} {Hero} took out the {_color} {_thing}. But oh no! Suddenly {_break}.",
        $"{Day}, when {Hero} took out the {_color} {_thing}, {_break}.") + " " + Dice.Pick(
        $"{Hero.She} tried to mend it, but {Hero.She} did not know how.",
        $"{Hero.She} tried and tried, but {Hero.She} could not mend it.");

    protected override string Complaint => Dice.Pick($"My {_thing} is broken", $"Look at my {_thing}. It is broken");

    protected override (string Offer, string Deed) Help => (
        $"[I have {_tool}|We can mend it with {_tool}]",
        $"{Hero} held the {_thing}, and {Pal} {_repair}. [Soon|After an hour] it was as good as new.");

    protected override string Reward => Dice.Pick($"[Together|Then|All day] they {_use}.", $"Then they {_use}.", "");

    protected override string Moral => "[two can do more than one|most things can be mended|it is good to ask for help]";
}
