namespace TrainStory.Stories;

/// <summary>Something stops the hero, and a friend comes by who can do what the hero cannot.</summary>
internal abstract class Rescue : Plot
{
    /// <inheritdoc cref="Plot(Dice, Skill[])"/>
    protected Rescue(Dice dice, params Skill[] cures)
        : base(dice, cures)
    {
        Cure = cures.Length == 0 ? null : dice.Pick<Skill>(Pal.Kind.Skills.Where(skill => cures.Contains(skill)).ToArray());
    }

    /// <summary>The friend's skill that helps; null if the plot needs none.</summary>
    protected Skill? Cure { get; }

    /// <summary>What the hero wants to do.</summary>
    protected abstract string Wish { get; }

    /// <summary>What goes wrong, and what the hero tries.</summary>
    protected abstract string Trouble { get; }

    /// <summary>What the friend asks first, without the name and the question mark.</summary>
    protected virtual string Question => "[What is wrong|What is the matter|Why are you so sad]";

    /// <summary>The trouble in the hero's words, without the full stop.</summary>
    protected abstract string Complaint { get; }

    /// <summary>What the friend says, without the full stop, and what the friend does.</summary>
    protected abstract (string Offer, string Deed) Help { get; }

    /// <summary>What they do after the problem is solved.</summary>
    protected abstract string Reward { get; }

    protected override IEnumerable<string> Paragraphs()
    {
        (string offer, string deed) = Help;
        yield return $"{Opening} {Wish}";
        yield return $"{Trouble} {Feeling} {Meeting(offer)} {deed}";
        yield return $"{Thanks} {Reward} {Ending}";
    }

    protected string Meeting(string offer) => Dice.Pick(
        $"[Just then|Then|After a while] {Pal.Introduction} [came by|came along the path]. “{Question}, {Hero}?” asked {Pal}. ",
        $"[Just then|Then|After a while] {Pal.Introduction} saw {Hero.Him} and [stopped|came closer]. "
        + $"“[{Question}|Can I help you]?” asked {Pal}. ")
        + $"“{Complaint},” [said {Hero}|{Hero.She} said|{Hero.She} answered]. " + Dice.Pick(
        $"“[Do not worry|Do not be sad|Do not cry]. {offer},” said {Pal}.",
        $"{Pal} [smiled|thought for a moment]. “{offer},” {Pal.She} said.");
}
