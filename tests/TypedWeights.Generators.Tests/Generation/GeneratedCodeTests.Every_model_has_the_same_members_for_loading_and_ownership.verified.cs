        /// <summary>The same tree without tensors: the name, dtype and shape of every weight, before anything is loaded.</summary>
        [global::System.CodeDom.Compiler.GeneratedCode("TypedWeights.Generators", "VERSION")]
        public static global::Demo.TinyModel.RootPaths Paths => __PathsHolder.Value;

        /// <summary>The tensors by their raw names. This object owns them: disposing it frees them.</summary>
        [global::System.CodeDom.Compiler.GeneratedCode("TypedWeights.Generators", "VERSION")]
        public global::TypedWeights.WeightSet Weights { get; }

        /// <summary>Loads the weights with the default loader.</summary>
        /// <param name="options">The options; null for the defaults.</param>
        /// <param name="progress">Receives the progress of the load.</param>
        /// <param name="cancellationToken">Ends the load.</param>
        /// <returns>The model, complete. The caller disposes it.</returns>
        /// <exception cref="global::TypedWeights.WeightsException">The weights are absent, unreadable or not of this class.</exception>
        /// <exception cref="global::System.OperationCanceledException">The token was cancelled; everything has been freed.</exception>
        [global::System.CodeDom.Compiler.GeneratedCode("TypedWeights.Generators", "VERSION")]
        public static global::System.Threading.Tasks.Task<global::Demo.TinyModel> LoadAsync(
            global::TypedWeights.LoadOptions? options = null,
            global::System.IProgress<global::TypedWeights.LoadProgress>? progress = null,
            global::System.Threading.CancellationToken cancellationToken = default) =>
            global::TypedWeights.WeightLoader.Default.LoadAsync<global::Demo.TinyModel>(options, progress, cancellationToken);

        /// <summary>Loads the weights with the default loader.</summary>
        /// <param name="source">A path or URI; it replaces the source of the attribute.</param>
        /// <param name="options">The options; null for the defaults.</param>
        /// <param name="progress">Receives the progress of the load.</param>
        /// <param name="cancellationToken">Ends the load.</param>
        /// <returns>The model, complete. The caller disposes it.</returns>
        /// <exception cref="global::TypedWeights.WeightsException">The weights are absent, unreadable or not of this class.</exception>
        /// <exception cref="global::System.OperationCanceledException">The token was cancelled; everything has been freed.</exception>
        [global::System.CodeDom.Compiler.GeneratedCode("TypedWeights.Generators", "VERSION")]
        [global::System.Runtime.CompilerServices.OverloadResolutionPriority(-1)]
        public static global::System.Threading.Tasks.Task<global::Demo.TinyModel> LoadAsync(
            string source,
            global::TypedWeights.LoadOptions? options = null,
            global::System.IProgress<global::TypedWeights.LoadProgress>? progress = null,
            global::System.Threading.CancellationToken cancellationToken = default) =>
            global::TypedWeights.WeightLoader.Default.LoadAsync<global::Demo.TinyModel>(source, options, progress, cancellationToken);

        /// <summary>Loads the weights with the given loader.</summary>
        /// <param name="loader">The loader.</param>
        /// <param name="options">The options; null for the defaults.</param>
        /// <param name="progress">Receives the progress of the load.</param>
        /// <param name="cancellationToken">Ends the load.</param>
        /// <returns>The model, complete. The caller disposes it.</returns>
        /// <exception cref="global::TypedWeights.WeightsException">The weights are absent, unreadable or not of this class.</exception>
        /// <exception cref="global::System.OperationCanceledException">The token was cancelled; everything has been freed.</exception>
        [global::System.CodeDom.Compiler.GeneratedCode("TypedWeights.Generators", "VERSION")]
        public static global::System.Threading.Tasks.Task<global::Demo.TinyModel> LoadAsync(
            global::TypedWeights.WeightLoader loader,
            global::TypedWeights.LoadOptions? options,
            global::System.IProgress<global::TypedWeights.LoadProgress>? progress = null,
            global::System.Threading.CancellationToken cancellationToken = default) =>
            loader.LoadAsync<global::Demo.TinyModel>(options, progress, cancellationToken);

        /// <summary>Loads the weights with the default loader.</summary>
        /// <param name="stream">One safetensors file, from the stream's position to its end; the caller disposes the stream.</param>
        /// <param name="options">The options; null for the defaults.</param>
        /// <param name="progress">Receives the progress of the load.</param>
        /// <param name="cancellationToken">Ends the load.</param>
        /// <returns>The model, complete. The caller disposes it.</returns>
        /// <exception cref="global::TypedWeights.WeightsException">The weights are absent, unreadable or not of this class.</exception>
        /// <exception cref="global::System.OperationCanceledException">The token was cancelled; everything has been freed.</exception>
        [global::System.CodeDom.Compiler.GeneratedCode("TypedWeights.Generators", "VERSION")]
        [global::System.Runtime.CompilerServices.OverloadResolutionPriority(-1)]
        public static global::System.Threading.Tasks.Task<global::Demo.TinyModel> LoadAsync(
            global::System.IO.Stream stream,
            global::TypedWeights.LoadOptions? options = null,
            global::System.IProgress<global::TypedWeights.LoadProgress>? progress = null,
            global::System.Threading.CancellationToken cancellationToken = default) =>
            global::TypedWeights.WeightLoader.Default.LoadAsync<global::Demo.TinyModel>(stream, options, progress, cancellationToken);

        /// <summary>Loads the weights with the default loader.</summary>
        /// <param name="bytes">One safetensors file, which must not change until the task has ended.</param>
        /// <param name="options">The options; null for the defaults.</param>
        /// <param name="progress">Receives the progress of the load.</param>
        /// <param name="cancellationToken">Ends the load.</param>
        /// <returns>The model, complete. The caller disposes it.</returns>
        /// <exception cref="global::TypedWeights.WeightsException">The weights are absent, unreadable or not of this class.</exception>
        /// <exception cref="global::System.OperationCanceledException">The token was cancelled; everything has been freed.</exception>
        [global::System.CodeDom.Compiler.GeneratedCode("TypedWeights.Generators", "VERSION")]
        [global::System.Runtime.CompilerServices.OverloadResolutionPriority(-1)]
        public static global::System.Threading.Tasks.Task<global::Demo.TinyModel> LoadAsync(
            global::System.ReadOnlyMemory<byte> bytes,
            global::TypedWeights.LoadOptions? options = null,
            global::System.IProgress<global::TypedWeights.LoadProgress>? progress = null,
            global::System.Threading.CancellationToken cancellationToken = default) =>
            global::TypedWeights.WeightLoader.Default.LoadAsync<global::Demo.TinyModel>(bytes, options, progress, cancellationToken);

        /// <summary>
        /// Starts to load the weights with the default loader and returns before they are ready: await <c>WhenReadyAsync</c> of a
        /// group before you read its tensors. The tensors are loaded in the order of their use.
        /// </summary>
        /// <param name="options">The options; null for the defaults.</param>
        /// <param name="progress">Receives the progress of the load.</param>
        /// <param name="cancellationToken">Ends the load, also after the model has been returned.</param>
        /// <returns>The model, whose tensors may not be ready yet. The caller disposes it.</returns>
        /// <exception cref="global::TypedWeights.WeightsException">The weights are absent, unreadable or not of this class.</exception>
        /// <exception cref="global::System.OperationCanceledException">The token was cancelled; everything has been freed.</exception>
        [global::System.CodeDom.Compiler.GeneratedCode("TypedWeights.Generators", "VERSION")]
        public static global::System.Threading.Tasks.Task<global::Demo.TinyModel> BeginLoadAsync(
            global::TypedWeights.LoadOptions? options = null,
            global::System.IProgress<global::TypedWeights.LoadProgress>? progress = null,
            global::System.Threading.CancellationToken cancellationToken = default) =>
            global::TypedWeights.WeightLoader.Default.BeginLoadAsync<global::Demo.TinyModel>(options, progress, cancellationToken);

        /// <summary>
        /// Starts to load the weights with the default loader and returns before they are ready: await <c>WhenReadyAsync</c> of a
        /// group before you read its tensors. The tensors are loaded in the order of their use.
        /// </summary>
        /// <param name="source">A path or URI; it replaces the source of the attribute.</param>
        /// <param name="options">The options; null for the defaults.</param>
        /// <param name="progress">Receives the progress of the load.</param>
        /// <param name="cancellationToken">Ends the load, also after the model has been returned.</param>
        /// <returns>The model, whose tensors may not be ready yet. The caller disposes it.</returns>
        /// <exception cref="global::TypedWeights.WeightsException">The weights are absent, unreadable or not of this class.</exception>
        /// <exception cref="global::System.OperationCanceledException">The token was cancelled; everything has been freed.</exception>
        [global::System.CodeDom.Compiler.GeneratedCode("TypedWeights.Generators", "VERSION")]
        [global::System.Runtime.CompilerServices.OverloadResolutionPriority(-1)]
        public static global::System.Threading.Tasks.Task<global::Demo.TinyModel> BeginLoadAsync(
            string source,
            global::TypedWeights.LoadOptions? options = null,
            global::System.IProgress<global::TypedWeights.LoadProgress>? progress = null,
            global::System.Threading.CancellationToken cancellationToken = default) =>
            global::TypedWeights.WeightLoader.Default.BeginLoadAsync<global::Demo.TinyModel>(source, options, progress, cancellationToken);

        /// <summary>
        /// Starts to load the weights with the given loader and returns before they are ready: await <c>WhenReadyAsync</c> of a
        /// group before you read its tensors. The tensors are loaded in the order of their use.
        /// </summary>
        /// <param name="loader">The loader.</param>
        /// <param name="options">The options; null for the defaults.</param>
        /// <param name="progress">Receives the progress of the load.</param>
        /// <param name="cancellationToken">Ends the load, also after the model has been returned.</param>
        /// <returns>The model, whose tensors may not be ready yet. The caller disposes it.</returns>
        /// <exception cref="global::TypedWeights.WeightsException">The weights are absent, unreadable or not of this class.</exception>
        /// <exception cref="global::System.OperationCanceledException">The token was cancelled; everything has been freed.</exception>
        [global::System.CodeDom.Compiler.GeneratedCode("TypedWeights.Generators", "VERSION")]
        public static global::System.Threading.Tasks.Task<global::Demo.TinyModel> BeginLoadAsync(
            global::TypedWeights.WeightLoader loader,
            global::TypedWeights.LoadOptions? options,
            global::System.IProgress<global::TypedWeights.LoadProgress>? progress = null,
            global::System.Threading.CancellationToken cancellationToken = default) =>
            loader.BeginLoadAsync<global::Demo.TinyModel>(options, progress, cancellationToken);

        /// <summary>Waits until every tensor is ready. After <c>LoadAsync</c> all of them are.</summary>
        /// <param name="cancellationToken">Ends the wait, not the load.</param>
        /// <exception cref="global::TypedWeights.WeightsException">The load failed; every wait ends with the same error.</exception>
        [global::System.CodeDom.Compiler.GeneratedCode("TypedWeights.Generators", "VERSION")]
        public global::System.Threading.Tasks.Task WhenReadyAsync(global::System.Threading.CancellationToken cancellationToken = default) =>
            Weights.WhenReadyAsync(cancellationToken);

        /// <summary>Writes the weights to one safetensors file.</summary>
        /// <param name="path">The file; replaced when the new one is complete.</param>
        /// <param name="cancellationToken">Ends the work; the old file, if any, stays.</param>
        [global::System.CodeDom.Compiler.GeneratedCode("TypedWeights.Generators", "VERSION")]
        public global::System.Threading.Tasks.Task SaveAsync(string path, global::System.Threading.CancellationToken cancellationToken = default) =>
            Weights.SaveAsync(path, cancellationToken);

        /// <summary>Hands a tensor over to the caller, who then disposes it; its property throws from then on.</summary>
        /// <param name="path">A path of <see cref="Paths"/>.</param>
        [global::System.CodeDom.Compiler.GeneratedCode("TypedWeights.Generators", "VERSION")]
        public global::TorchSharp.torch.Tensor Detach(global::TypedWeights.WeightPath path) => Weights.Detach(path.Name);

        /// <summary>Frees every tensor that was not handed over. A second call does nothing.</summary>
        [global::System.CodeDom.Compiler.GeneratedCode("TypedWeights.Generators", "VERSION")]
        public void Dispose() => Weights.Dispose();

        /// <summary>Called when every property is set, before a load returns; in BeginLoadAsync, tensors may not be ready yet.</summary>
        partial void OnBound();

        static global::TypedWeights.WeightManifest global::TypedWeights.IWeightModel<global::Demo.TinyModel>.Manifest => __ManifestHolder.Value;

        static global::Demo.TinyModel global::TypedWeights.IWeightModel<global::Demo.TinyModel>.Bind(global::TypedWeights.WeightSet weights) =>
            new global::Demo.TinyModel(weights);
