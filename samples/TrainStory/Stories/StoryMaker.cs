using TrainStory.Stories.Plots;

namespace TrainStory.Stories;

/// <summary>The project's own sentence maker: the same seed always produces the same stories in the same order.</summary>
internal sealed class StoryMaker(int seed)
{
    private static readonly Func<Dice, Plot>[] Plots =
    [
        dice => new Stuck(dice), dice => new Lost(dice), dice => new Overboard(dice), dice => new Broken(dice),
        dice => new Heavy(dice), dice => new Crossing(dice), dice => new Baking(dice), dice => new Darkness(dice),
        dice => new LittleOne(dice), dice => new Garden(dice), dice => new Race(dice), dice => new Song(dice), dice => new Sharing(dice),
        dice => new Surprise(dice), dice => new Treasure(dice), dice => new Winter(dice), dice => new Newcomer(dice),
    ];

    private readonly Dice _dice = new(seed);

    public string Tell() => _dice.Pick<Func<Dice, Plot>>(Plots)(_dice).Tell();
}
