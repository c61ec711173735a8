namespace TrainStory.Stories;

/// <summary>
/// One kind of story. The characters are chosen first and do not change, so names, pronouns, colours and places agree from beginning to
/// end. In the sentences, <c>[this|that]</c> is a choice; see <see cref="Dice.Say"/>.
/// </summary>
internal abstract class Plot
{
    private static readonly (string Infinitive, string Past)[] Hobbies =
    [
        ("sing songs", "sang songs"), ("count the stars", "counted the stars"), ("look for round stones", "looked for round stones"),
        ("paint pictures", "painted pictures"), ("pick flowers", "picked flowers"), ("tell jokes", "told jokes"),
        ("roll down the hills", "rolled down the hills"), ("look at the clouds", "looked at the clouds"), ("tell stories", "told stories"),
        ("dance in the grass", "danced in the grass"), ("play hide and seek", "played hide and seek"),
    ];

    private readonly (string Infinitive, string Past) _hobby;

    /// <param name="dice">Makes every choice.</param>
    /// <param name="cures">Skills that would end the story at once: the hero has none of them, the friend has at least one.</param>
    protected Plot(Dice dice, params Skill[] cures)
    {
        Dice = dice;
        Hero = Character.Hero(dice, cures);
        Pal = Character.Friend(dice, cures, Hero);
        Family = dice.Pick("mother", "father", "grandmother", "grandfather", "aunt", "uncle");
        _hobby = dice.Pick<(string, string)>(Hobbies);
    }

    protected Dice Dice { get; }

    protected Character Hero { get; }

    protected Character Pal { get; }

    /// <summary>The relative who lives with the hero.</summary>
    protected string Family { get; }

    protected static string Day => "one [sunny|warm|bright|quiet|fine] [morning|day|afternoon]";

    protected string Color => Dice.Pick("red", "blue", "yellow", "green", "purple", "white");

    /// <summary>What the hero has learned; follows the word "that".</summary>
    protected virtual string Moral => "[two can do more than one|it is good to ask for help|a good friend is better than gold]";

    /// <summary>Whether the story ends on the day it began, so that an evening can follow.</summary>
    protected virtual bool EndsThatDay => true;

    /// <summary>Returns the whole story, with a line break between paragraphs.</summary>
    public string Tell() => string.Join('\n', Paragraphs().Select(Dice.Say));

    protected abstract IEnumerable<string> Paragraphs();

    /// <summary>Introduces the hero and the hero's home.</summary>
    protected string Opening => Dice.Pick(
        $"[Once upon a time|Once|Long ago] there was a {Hero.Trait} {Hero.Kind.Name} named {Hero}.",
        $"[Once upon a time|Long ago] there lived a {Hero.Trait} little {Hero.Kind.Name} called {Hero}.",
        $"There once was a little {Hero.Kind.Name} named {Hero}. {Hero.She} was very {Hero.Trait}.",
        $"{Hero} was a {Hero.Trait} [|little] {Hero.Kind.Name}.") + " " + Dice.Pick(
        $"{Hero.She} lived in {Hero.Kind.Home} with {Hero.Her} {Family}.",
        $"{Hero.She} and {Hero.Her} {Family} lived in {Hero.Kind.Home}.") + (Dice.Chance(0.5)
        ? $" {Hero.She} loved to {_hobby.Infinitive}."
        : "");

    protected virtual string Feeling => Dice.Pick(
        $"{Hero} [felt very sad|began to cry|did not know what to do].",
        $"{Hero} sat down [and sighed|on a stone and sighed|and began to cry].",
        $"Poor {Hero} [sighed|began to cry].");

    protected string Thanks => Dice.Pick(
        $"“Thank you[| so much], {Pal}!” said {Hero}.",
        $"{Hero} [was so happy|was full of joy|smiled from ear to ear]. “Thank you!” {Hero.She} said.",
        $"“[Hooray|Hurrah]!” shouted {Hero}. {Hero.She} [hugged|thanked] {Pal}.");

    protected string Ending => (EndsThatDay ? Evening : "") + " " + Dice.Pick(
        $"From that day on, {Hero} and {Pal} were [best|good] friends.",
        $"Even a {Hero.Trait} {Hero.Kind.Name} needs [a friend|some help] [sometimes|now and then].",
        $"And {Hero} [knew now|had learned] that {Moral}.",
        EndsThatDay ? $"That night {Hero} [fell asleep with a smile|slept very well]." : $"{Hero} never forgot {Pal}.");

    private string Evening => Dice.Pick(
        $"In the evening they {_hobby.Past} together.",
        $"That evening {Hero} told {Hero.Her} {Family} [all about {Pal}|the whole story].",
        $"Before they went home, they {_hobby.Past} together.",
        "");
}
