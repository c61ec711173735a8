#!/usr/bin/env bash
# Everything about a GPU in one command: the tests on the card, and the speed of loads onto it against the limits of card and source.
#
#   bash bench/gpu.sh                 in a checkout with the SDK: publishes, then tests and measures
#   bash bench/gpu.sh publish FOLDER  publishes for a machine without SDK and network; carry FOLDER there and run FOLDER/gpu.sh
#
# BYTES=8589934592   the size of the file that is created (in TMPDIR) and then removed
# TORCH=none         the libtorch to publish with the programs: cuda-linux, or none if LIBTORCH names an installed one
# LIBTORCH=/path     a folder with libtorch.so and libtorch_cuda.so, such as torch/lib of an installed PyTorch
#
# Prints what is missing (driver, GPU, a libtorch with CUDA, Python's safetensors). If there is nothing to measure, the exit status is 0;
# if a test or a measurement fails, it is the status of the failure.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export MSBUILDDISABLENODEREUSE=1 DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

publish() { # FOLDER
    local root=$here/.. torch=${TORCH:-none}
    for project in tests/TypedWeights.Gpu.Tests bench/TypedWeights.GpuBench; do
        dotnet publish "$root/$project" -c Release -r linux-x64 --self-contained "-p:TorchBackend=$torch" \
            -p:SatelliteResourceLanguages=en -o "$1/$(basename "$project")" -v q < /dev/null || return 1
    done
    cp "$here/gpu.sh" "$here/gpu_safetensors.py" "$1/"
}

run() { # FOLDER with the published programs
    local bench=$1/TypedWeights.GpuBench/TypedWeights.GpuBench file server port status tests
    [ -n "${LIBTORCH:-}" ] && export LD_LIBRARY_PATH=$LIBTORCH${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    date -u '+%Y-%m-%d %H:%M UTC'
    command -v nvidia-smi > /dev/null && nvidia-smi --query-gpu=name,driver_version,pcie.link.gen.max --format=csv,noheader
    "$bench" check
    status=$?
    if [ $status != 0 ] && [ $status != 3 ] && [ -n "${LIBTORCH:-}" ]; then
        echo "missing: a compatible libtorch; the one in LIBTORCH ends the process ($status). The figures with tensors are left out."
        export LD_LIBRARY_PATH=${LD_LIBRARY_PATH#"$LIBTORCH"}
        "$bench" check
        status=$?
    fi
    echo "== tests"
    "$1/TypedWeights.Gpu.Tests/TypedWeights.Gpu.Tests" < /dev/null
    tests=$?
    if [ $status = 3 ]; then
        echo "nothing to measure: see what is missing above"
        return $tests
    fi
    echo "== figures"
    file=$(mktemp -d)/model.safetensors
    port=$((20000 + RANDOM % 20000))
    "$bench" make "$file" "${BYTES:-8589934592}" || return 1
    "$bench" serve "$file" $port < /dev/null > /dev/null 2>&1 &
    server=$!
    trap 'kill $server 2> /dev/null; rm -rf "$(dirname "$file")"' RETURN
    "$bench" run "$file" "http://127.0.0.1:$port/model.safetensors"
    status=$?
    if command -v python3 > /dev/null; then python3 "$1/gpu_safetensors.py" "$file"; else echo "missing: Python; its figures are left out"; fi
    return $((status != 0 ? status : tests))
}

if [ "${1:-}" = publish ]; then
    publish "${2:?publish FOLDER}"
elif [ -x "$here/TypedWeights.GpuBench/TypedWeights.GpuBench" ]; then
    run "$here"
else
    folder=$(mktemp -d)
    publish "$folder" && run "$folder"
    status=$?
    rm -rf "$folder"
    exit $status
fi
