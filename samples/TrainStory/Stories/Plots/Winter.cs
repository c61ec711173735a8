namespace TrainStory.Stories.Plots;

/// <summary>Something made of snow cannot last.</summary>
internal sealed class Winter : Plot
{
    private readonly string _made;
    private readonly string _part;
    private readonly string _were;
    private readonly string _where;

    public Winter(Dice dice)
        : base(dice)
    {
        _made = dice.Pick("snowman", "snow castle", "snow horse", "snow rabbit", "snow tower");
        (_part, _were) = dice.Pick(
            ("a carrot", "was"), ("an old hat", "was"), ("two black stones", "were"), ("a red ribbon", "was"), ("a little flag", "was"));
        _where = dice.Pick("in the garden", "in the meadow", "on the hill", "beside the barn");
    }

    protected override bool EndsThatDay => false;

    protected override string Moral => "[winter always comes back|good things come back|a friend stays longer than the snow]";

    protected override IEnumerable<string> Paragraphs()
    {
        yield return $"{Opening} [One winter|One winter morning] there was snow everywhere. "
            + $"{Hero} [went out to play|wanted to make a {_made}], but {Hero.She} was all alone.";
        yield return $"[Just then|Then|After a while] {Pal.Introduction} came by. "
            + $"“[Do you want to help me|Will you make a {_made} with me]?” asked {Hero}. "
            + $"“[Yes, I would love to|Yes, please],” said {Pal}. So they made a {_made} {_where}. "
            + $"{Pal} brought {_part} for it, and {Hero} [danced around it|gave it a name]. "
            + "[Every day|Every morning] they met there and [played|laughed].";
        yield return $"But then spring came, and the sun was warm. [One day|One morning] the {_made} was gone. "
            + $"Only {_part} {_were} left. {Feeling} “[Do not be sad|Do not cry],” said {Pal}. " + Dice.Pick(
            "“[Next winter|When the snow comes back,] we will make a new one.”",
            "“The snow has gone, but I am still here.”") + " " + Ending;
    }
}
