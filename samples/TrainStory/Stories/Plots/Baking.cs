namespace TrainStory.Stories.Plots;

/// <summary>The hero wants to cook something good, but one ingredient is missing.</summary>
internal sealed class Baking : Rescue
{
    private readonly string _dish;
    private readonly string _missing;
    private readonly string _verb;

    public Baking(Dice dice)
        : base(dice)
    {
        (_dish, _missing, _verb) = dice.Pick(
            ("honey cake", "honey", "bake"), ("apple pie", "apples", "bake"), ("nut cake", "nuts", "bake"),
            ("berry pie", "berries", "bake"), ("carrot cake", "carrots", "bake"), ("pumpkin soup", "pumpkins", "cook"),
            ("cheese pie", "cheese", "bake"), ("plum cake", "plums", "bake"), ("cherry cake", "cherries", "bake"),
            ("potato soup", "potatoes", "cook"));
    }

    private bool Many => _missing[^1] == 's';

    private string Were => Many ? "were" : "was";

    protected override string Wish => Dice.Pick(
        $"{Day} {Hero} wanted to {_verb} a {_dish} for {Hero.Her} {Family}.",
        $"It was the birthday of {Hero.Her} {Family}, and {Hero} wanted to {_verb} a {_dish}.",
        $"{Day} {Hero} said, “Today I will {_verb} a {_dish}!”");

    protected override string Trouble => Dice.Pick(
        $"{Hero.She} had [flour and milk|salt and butter|a big bowl], but there {Were} no {_missing} in the house.",
        $"But when {Hero.She} looked on the shelf, the {_missing} {Were} gone.") + " " + Dice.Pick(
        $"{Hero} looked in every [pot|box|corner] and found nothing.",
        $"{Hero} went to the [shop|market], but it was closed.");

    protected override string Complaint => Dice.Pick(
        $"I have no {_missing} for my {_dish}", $"I cannot {_verb} my {_dish} without {_missing}");

    protected override (string Offer, string Deed) Help => (
        $"[I have some {_missing} at home|I have more {_missing} than I need]",
        $"{Pal} ran home and came back with the {_missing}. "
        + $"{Hero} [mixed everything|did the rest], and {Pal} [made the fire|washed the bowls|looked after the fire].");

    protected override string Reward => Dice.Pick(
        $"The {_dish} [smelled wonderful|was hot and good], and {Hero.Her} {Family} ate two {(_verb == "cook" ? "plates" : "pieces")}.",
        $"They sat down at the table and ate the whole {_dish}.",
        $"{Hero.Her} {Family} said that it was the best {_dish} in the world.");

    protected override string Moral => "[everything tastes best with friends|it is good to share|it is good to ask for help]";
}
