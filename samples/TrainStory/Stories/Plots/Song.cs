namespace TrainStory.Stories.Plots;

/// <summary>The hero does not dare to perform, until a friend joins in.</summary>
internal sealed class Song : Rescue
{
    private readonly string _act;
    private readonly string _did;
    private readonly string _feast;

    public Song(Dice dice)
        : base(dice)
    {
        (_act, _did) = dice.Pick(
            ("sing", "sang"), ("dance", "danced"), ("play the flute", "played the flute"), ("play the drum", "played the drum"),
            ("juggle", "juggled"));
        _feast = dice.Pick("feast", "market", "party", "fair");
    }

    protected override string Wish => Dice.Pick(
        $"{Hero.She} could {_act} very well, but only when nobody was there. "
        + $"Now {Hero.Her} {Family} asked {Hero.Him} to {_act} at the {_feast}.",
        $"There was a {_feast} in the village, and {Hero} wanted to {_act} there.");

    protected override string Trouble => Dice.Pick(
        $"But when {Hero.She} saw [all the people|the big crowd], {Hero.She} [could not move|hid behind a curtain].",
        $"But on the day of the {_feast} {Hero.Her} [knees were shaking|heart beat fast], and {Hero.She} [ran away|hid under a table].");

    protected override string Complaint => Dice.Pick($"I want to {_act}, but I am afraid", $"I cannot {_act}. Everyone will look at me");

    protected override (string Offer, string Deed) Help => (
        Dice.Pick("[I will come with you|We can do it together]", "[Look only at me|Close your eyes and think of home]"),
        $"{Hero} took a deep breath and went out [to the people|onto the stage]. "
        + $"At first {Hero.She} {_did} very [quietly|softly]. Then {Hero.She} {_did} [better and better|with joy].");

    protected override IEnumerable<string> Paragraphs()
    {
        (string offer, string deed) = Help;
        yield return $"{Opening} {Wish}";
        yield return $"{Trouble} {Feeling} {Meeting(offer)} {deed}";
        yield return $"{Reward} {Thanks} {Ending}";
    }

    protected override string Reward => Dice.Pick(
        "Everyone clapped [and cheered|for a long time].",
        $"“Again! Again!” called the people. So {Hero} {_did} once more, and {Pal} clapped.");

    protected override string Moral => "[it is good to try|even the brave are afraid sometimes|everything is easier with a friend]";
}
