namespace TrainStory.Stories.Plots;

/// <summary>Somebody new has moved in, and everybody except the hero is afraid.</summary>
internal sealed class Newcomer : Plot
{
    private readonly string _home;
    private readonly string _gift;
    private readonly string _talent;
    private readonly string _did;

    public Newcomer(Dice dice)
        : base(dice)
    {
        _home = dice.Pick("old mill", "empty house by the river", "little house on the hill", "old tower", "hut in the forest");
        _gift = dice.Pick("basket of eggs", "pot of honey", "loaf of bread", "jar of jam", "bunch of flowers", "bag of nuts");
        (_talent, _did) = dice.Pick(
            ("play the flute", "played the flute"), ("tell jokes", "told jokes"), ("sing", "sang"),
            ("paint pictures", "painted a picture"), ("tell stories", "told a long story"));
    }

    protected override bool EndsThatDay => false;

    protected override string Moral => "[someone new can be a friend|kind words cost nothing|it is good to be kind]";

    protected override IEnumerable<string> Paragraphs()
    {
        yield return $"{Opening} One day somebody moved into the {_home}. Nobody knew who it was. "
            + $"“[Do not go there|It may be dangerous],” said {Hero.Her} {Family}. But {Hero} wanted to know.";
        yield return $"[The next day|The next morning] {Hero.She} took a {_gift} and [knocked at the door|went to the {_home}]. "
            + $"The door opened slowly. There stood {Pal.Introduction}. "
            + $"“[Welcome. This {_gift} is for you|Good morning. I have a {_gift} for you],” said {Hero}. "
            + $"“[Thank you. Nobody has come to see me before|How kind of you. I was so lonely here],” said {Pal}. "
            + $"They [drank tea|sat by the fire] and talked [for hours|all day]. "
            + $"{Pal} could {_talent}, and {Hero} [laughed and clapped|had never been so happy].";
        yield return Dice.Pick(
            $"In the evening {Hero} brought {Pal} home, and {Pal} {_did} for {Hero.Her} {Family}.",
            $"Soon everyone in the village came to the {_home}, and {Pal} {_did} for them all.",
            $"“You were right to go,” said {Hero.Her} {Family}. “Tomorrow I will come with you.”") + " " + Ending;
    }
}
