#!/usr/bin/env bash
# Runs tests of the kernels and two training steps in each precision on emulated processors that have fewer instructions than this one: Haswell (AVX2 and
# FMA, no AVX-512) and Nehalem (SSE4.2, no AVX). An instruction that they lack ends the process, and so fails the check. It takes what `dotnet build -c Release`
# has made, and qemu-user; without that it skips. The last line is "N passed, N failed, N skipped".
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD

skip() { echo "SKIP: $*"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }
[[ "$(uname -sm)" == "Linux x86_64" ]] || skip "the emulated processors are x86-64 with Linux, and this is $(uname -sm)"
command -v qemu-x86_64 > /dev/null || skip "qemu-x86_64 is missing (in Debian's package qemu-user)"

kernels=$repository/tests/Diffusion.Kernels.Tests/bin/Release/net10.0/Diffusion.Kernels.Tests.dll
# All tests of kernels would take an hour. These are every operation with its first and second derivatives, at the levels that the processor has, convolutions as they are without gradients, and products in C#.
tests=(-method '*.FunctionalTests.Operation_GradientsOfGradients*' -method '*.WinogradConvolutionTests.Conv2d_LargeImages*' -method '*.TileProductTests.*')
sample=$repository/samples/Diffusion.Sample/bin/Release/net10.0/Diffusion.Sample.dll
for program in "$kernels" "$sample"; do
  [[ -f $program ]] || { echo "FAIL: no $program; build first: dotnet build -c Release"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
done

work=$(mktemp -d "${TMPDIR:-/tmp}/diffusion-emulated.XXXXXX")
trap 'rm -rf "$work"' EXIT
dotnet=$(readlink -f "$(command -v dotnet)")
# With one thread: libtorch's threads spin while they wait. qemu 7.2 now and then ends in a segmentation fault where threads of the runtime stop others or replace code: so no concurrent collector, few
# collections, and no methods that are compiled again.
export OMP_NUM_THREADS=1 DOTNET_gcConcurrent=0 DOTNET_GCgen0size=0x10000000 DOTNET_TieredCompilation=0
precisions=(float32 bfloat16)
declare -A allowed=([float32]=1e-3 [bfloat16]=1e-2) # relative, of losses and gradients; seen: 2e-7 and 2e-4

# Four digits a step, through blocks whose channels and tokens are enough for the kernels.
for precision in "${precisions[@]}"; do
  cat > "$work/$precision.json" <<JSON
{ "data": { "path": "$repository/samples/data/mnist", "limit": 100 },
  "model": { "stemChannels": 16, "down": [ { "channels": 16, "layers": 1 }, { "channels": 32, "layers": 1, "attention": true } ], "mid": [ { "channels": 32 } ],
             "timeDimension": 32, "downsampling": "convolution4", "upsampling": "transposed" },
  "training": { "steps": 2, "batchSize": 4, "seed": 1, "precision": "$precision" },
  "sampling": { "count": 1, "steps": 2 } }
JSON
  "$dotnet" exec "$sample" train --config "$work/$precision.json" --out "$work/here-$precision" > "$work/here.log" 2>&1 \
    || { cat "$work/here.log"; echo "FAIL: no training in $precision on this machine itself"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
done

# emulate PROCESSOR NAME PROGRAM ARGUMENT...: what it prints is in $work/PROCESSOR-NAME.log, without the emulator's and libtorch's remarks on what the processor lacks.
emulate() {
  local log=$work/$1-$2.log status=0
  qemu-x86_64 -cpu "$1" "$dotnet" exec "${@:3}" > "$log.all" 2>&1 || status=$?
  if [[ $status -eq 139 ]]; then # qemu 7.2 itself ends in a segmentation fault now and then; an instruction that is missing is signal 4, 132
    echo "$1: the emulator ended in a segmentation fault, once more"
    status=0
    rm -rf "${work:?}/$1-$2"
    qemu-x86_64 -cpu "$1" "$dotnet" exec "${@:3}" > "$log.all" 2>&1 || status=$?
  fi
  grep -vE "TCG doesn't support requested feature|NNPACK" "$log.all" > "$log" || true
  return "$status"
}

# same FILE FILE ALLOWED: whether the losses and the norms of the gradients of two runs differ by no more than that, relatively.
same() {
  awk -F, -v allowed="$3" '
    FNR == 1 { next }
    NR == FNR { loss[$1] = $2; gradient[$1] = $4; expected++; next }
    { compared++; if (!($1 in loss) || !near($2, loss[$1]) || !near($4, gradient[$1])) wrong++ }
    function near(a, b) { return a ~ /^[0-9.]+(E[-+]?[0-9]+)?$/ && b ~ /^[0-9.]+(E[-+]?[0-9]+)?$/ && a - b <= allowed * b && b - a <= allowed * b }
    END { exit wrong > 0 || compared != expected || compared == 0 }' "$1" "$2"
}

# check PROCESSOR: all of it on one processor; the last line is "N passed, N failed, N skipped".
check() {
  local processor=$1 passed=0 failed=0 skipped=0 start=$SECONDS status=0 summary total
  emulate "$processor" tests "$kernels" -noColor -noLogo -parallel none "${tests[@]}" || status=$?
  # "   Diffusion.Models.Tests  Total: 68, Errors: 0, Failed: 0, Skipped: 67, Not Run: 0, Time: 12.652s"
  summary=$(grep -E '^ +[A-Za-z.]+ +Total: [1-9]' "$work/$processor-tests.log" || true)
  if [[ $summary =~ Total:\ ([0-9]+),\ Errors:\ ([0-9]+),\ Failed:\ ([0-9]+),\ Skipped:\ ([0-9]+),\ Not\ Run:\ ([0-9]+) ]]; then
    failed=$((BASH_REMATCH[2] + BASH_REMATCH[3]))
    skipped=$((BASH_REMATCH[4] + BASH_REMATCH[5]))
    passed=$((BASH_REMATCH[1] - BASH_REMATCH[3] - skipped))
  fi
  if [[ $status -eq 139 ]]; then
    echo "SKIP: the emulator ended twice in a segmentation fault: no tests of the kernels on $processor"
    skipped=$((skipped + 1))
  elif [[ -z $summary || $failed -gt 0 || $status -ne 0 ]]; then
    cat "$work/$processor-tests.log"
    echo "FAIL: the tests on $processor ended with $status"
    [[ $failed -gt 0 ]] || failed=1
  fi
  echo "$processor: tests of the kernels,${summary##*Tests } ($((SECONDS - start)) s)"

  for precision in "${precisions[@]}"; do
    start=$SECONDS status=0
    emulate "$processor" "$precision" "$sample" train --config "$work/$precision.json" --out "$work/$processor-$precision" || status=$?
    if [[ $status -eq 139 ]]; then
      echo "SKIP: the emulator ended twice in a segmentation fault: no training in $precision on $processor"
      skipped=$((skipped + 1))
    elif [[ $status -ne 0 ]]; then
      cat "$work/$processor-$precision.log"
      echo "FAIL: training in $precision on $processor ended with $status"
      failed=$((failed + 1))
    elif ! same "$work/here-$precision/losses.csv" "$work/$processor-$precision/losses.csv" "${allowed[$precision]}"; then
      tail -n +1 "$work/here-$precision/losses.csv" "$work/$processor-$precision/losses.csv"
      echo "FAIL: training in $precision on $processor has other losses or gradients than here"
      failed=$((failed + 1))
    else
      passed=$((passed + 1))
      echo "$processor: two training steps in $precision with the losses and gradients of this machine ($((SECONDS - start)) s)"
    fi
  done

  echo "$passed passed, $failed failed, $skipped skipped"
}

# Each on a core of its own.
processors=(Haswell Nehalem)
for processor in "${processors[@]}"; do check "$processor" > "$work/$processor.txt" 2>&1 & done
wait
passed=0 failed=0 skipped=0
for processor in "${processors[@]}"; do
  sed '$d' "$work/$processor.txt"
  read -r p _ f _ s _ < <(tail -1 "$work/$processor.txt")
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
[[ $failed -eq 0 ]]
