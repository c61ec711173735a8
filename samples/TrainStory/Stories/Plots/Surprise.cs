namespace TrainStory.Stories.Plots;

/// <summary>Everybody seems to have forgotten the hero's birthday.</summary>
internal sealed class Surprise : Plot
{
    private readonly string _gift;
    private readonly string _cake;

    public Surprise(Dice dice)
        : base(dice)
    {
        _gift = Color + " " + dice.Pick("kite", "ball", "scarf", "drum", "blanket", "hat");
        _cake = dice.Pick("honey cake", "carrot cake", "cherry cake", "apple pie", "berry pie");
    }

    protected override bool EndsThatDay => false;

    protected override string Moral => "[a good friend does not forget|a good friend is better than gold|the best things come late]";

    protected override IEnumerable<string> Paragraphs()
    {
        yield return Opening + " " + Dice.Pick(
            $"{Day} {Hero} woke up early. It was {Hero.Her} birthday, but {Hero.Her} {Family} [said nothing|only said good morning].",
            $"It was {Hero.Her} birthday, and {Hero.She} was very excited. But {Hero.Her} {Family} [said nothing|had forgotten it].");
        yield return $"So {Hero} went to see {Hero.Her} friend {Pal.Acquaintance}. "
            + $"“[What day is it today|Do you know what day it is]?” asked {Hero}. "
            + $"“[I do not know|A fine day]. I am very busy,” said {Pal}, and closed the door. "
            + $"{Hero} walked [around|up and down the path] alone until the evening. {Feeling}";
        yield return $"When {Hero.She} came home, the house was dark. {Hero} opened the door. "
            + $"“Surprise!” shouted {Pal} and {Hero.Her} {Family}. "
            + $"There was a big {_cake} on the table, and {Pal} gave {Hero.Him} a {_gift}. " + Dice.Pick(
            $"{Hero} laughed and cried [at the same time|with joy].",
            $"“So you did not forget!” said {Hero}.",
            $"They sang songs and ate the whole {_cake}.") + " " + Ending;
    }
}
