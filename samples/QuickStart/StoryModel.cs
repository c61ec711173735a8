using TypedWeights;

namespace QuickStart;

/// <summary>The weights of the story model. The generator adds the members from <c>weights/StoryModel.weights.json</c>.</summary>
[SafeTensorsModel("story/model.safetensors")]
public sealed partial class StoryModel;
