namespace TrainStory.Stories;

/// <summary>An ability that only some characters have. A plot names the skills that solve it.</summary>
internal enum Skill
{
    Flying,
    Climbing,
    Swimming,
    Strength,
    Nose,
    Smallness,
    Height,
}

/// <summary>A kind of character, with the home of a hero of that kind. A kind without a home can only be a friend.</summary>
internal sealed record Kind(string Name, string? Home, params Skill[] Skills)
{
    private const string House = "a [small|little|white|red] house [near the forest|by the sea|at the end of the village|beside the mill]";

    private static readonly Kind Girl = new("girl", House);
    private static readonly Kind Boy = new("boy", House);

    private static readonly Kind[] Animals =
    [
        new("fox", "a [cosy|deep] den under the hill", Skill.Nose),
        new("rabbit", "a warm burrow under the hedge"),
        new("mouse", "a tiny hole [in the barn|behind the mill]", Skill.Smallness),
        new("bear", "a [deep|warm] cave in the woods", Skill.Strength),
        new("hedgehog", "a nest of dry leaves", Skill.Nose),
        new("squirrel", "an old oak tree", Skill.Climbing),
        new("duck", "the reeds by the pond", Skill.Swimming, Skill.Flying),
        new("frog", "the reeds by the pond", Skill.Swimming),
        new("owl", "a hollow tree in the woods", Skill.Flying),
        new("otter", "a den by the river", Skill.Swimming),
        new("beaver", "a house of sticks in the river", Skill.Swimming),
        new("badger", "a deep burrow in the woods"),
        new("cat", "a [farmhouse|little shop] at the end of the village", Skill.Climbing),
        new("puppy", "a [farmhouse|little shop] at the end of the village", Skill.Nose),
        new("pig", "a barn [beside the mill|near the forest]", Skill.Nose),
        new("lamb", "a barn [beside the mill|near the forest]"),
        new("pony", "a stable [beside the mill|near the forest]", Skill.Strength),
        new("goat", "a hut high up on the mountain", Skill.Climbing),
        new("mole", "a deep tunnel under the garden"),
        new("crow", "a nest in a tall tree", Skill.Flying),
        new("robin", "a nest in the garden", Skill.Flying, Skill.Smallness),
        new("goose", "a barn [beside the mill|near the forest]", Skill.Flying, Skill.Swimming),
        new("giraffe", null, Skill.Height),
        new("elephant", null, Skill.Strength),
        new("dragon", "a cave on top of the mountain", Skill.Flying, Skill.Strength),
    ];

    public string Plural => Name == "mouse" ? "mice" : Name + "s";

    public bool IsChild => this == Girl || this == Boy;

    public bool Has(ReadOnlySpan<Skill> skills) => skills.ContainsAny(Skills);

    /// <summary>Returns the kind of a hero who cannot solve the plot alone.</summary>
    public static Kind Hero(Dice dice, bool girl, Skill[] cures)
    {
        if (dice.Chance(0.3))
        {
            return girl ? Girl : Boy;
        }

        return dice.Pick<Kind>(Animals.Where(kind => !kind.Has(cures) && kind.Home is not null).ToArray());
    }

    /// <summary>
    /// Returns the kind of a friend who can solve the plot, which differs from the hero's. If the plot needs no skill, it can be any kind,
    /// including a child.
    /// </summary>
    public static Kind Friend(Dice dice, bool girl, Skill[] cures, Kind hero)
    {
        if (cures.Length == 0 && dice.Chance(0.2))
        {
            return girl ? Girl : Boy;
        }

        return dice.Pick<Kind>(Animals.Where(kind => kind != hero && (cures.Length == 0 || kind.Has(cures))).ToArray());
    }
}
