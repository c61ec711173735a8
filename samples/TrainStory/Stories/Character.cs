namespace TrainStory.Stories;

/// <summary>Someone with a name and the pronouns that go with it.</summary>
internal sealed record Character(string Name, Kind Kind, string Trait, bool Female)
{
    public static readonly string[] Girls =
    [
        "Mia", "Lily", "Anna", "Ella", "Nora", "Ruby", "Clara", "Zoe", "Lucy", "Emma",
        "Tilly", "Dora", "Wanda", "Molly", "Sally", "Ida", "Nell", "Bella", "Greta", "Fay",
    ];

    public static readonly string[] Boys =
    [
        "Tom", "Max", "Ben", "Leo", "Sam", "Finn", "Oscar", "Toby", "Jack", "Hugo",
        "Otto", "Pip", "Milo", "Felix", "Barney", "Rufus", "Gus", "Theo", "Bruno", "Ned",
    ];

    private static readonly string[] HeroTraits =
    [
        "brave", "shy", "curious", "clever", "cheerful", "gentle", "proud", "patient", "quiet", "careful", "busy", "merry", "polite",
        "playful", "stubborn", "sleepy",
    ];

    private static readonly string[] FriendTraits = ["kind", "friendly", "wise", "funny", "helpful", "old"];

    public string She => Female ? "she" : "he";

    public string Her => Female ? "her" : "his";

    public string Him => Female ? "her" : "him";

    /// <summary>The name of a character that the hero knows: "Otto the owl", but only "Zoe" for a child.</summary>
    public string Acquaintance => Kind.IsChild ? Name : $"{Name} the {Kind.Name}";

    /// <summary>The words that introduce a new character: "a wise owl named Otto".</summary>
    public string Introduction => Kind.IsChild ? Newcomer : $"[{Newcomer}|{Acquaintance}]";

    private string Newcomer => $"a {Trait} {Kind.Name} named {Name}";

    public override string ToString() => Name;

    public static Character Hero(Dice dice, Skill[] cures)
    {
        bool girl = dice.Chance(0.5);
        return new Character(dice.Pick<string>(girl ? Girls : Boys), Kind.Hero(dice, girl, cures), dice.Pick<string>(HeroTraits), girl);
    }

    public static Character Friend(Dice dice, Skill[] cures, Character hero)
    {
        bool girl = dice.Chance(0.5);
        string name = dice.Pick<string>((girl ? Girls : Boys).Where(name => name != hero.Name).ToArray());
        Kind kind = Kind.Friend(dice, girl, cures, hero.Kind);
        return new Character(name, kind, dice.Pick<string>(kind.IsChild ? FriendTraits[..2] : FriendTraits), girl);
    }
}
