#!/usr/bin/env bash
# Runs programs for Windows on Linux: published for win-x64 with a runtime of their own, in Wine 10 of a Debian 13 root. Wine is not Windows; it has Windows' calling convention, file names,
# locks and native libraries.
#
#   bash eng/windows.sh                           tests of Kernels and Core, 20 training steps, resuming, sampling, info, convert, and the same numbers as here: what .ci/run does
#   bash eng/windows.sh all                       all tests and Hello, too; writes benchmarks/results/windows.md
#   bash eng/windows.sh compare                   the course's network against eager here and in Wine, with all threads; writes benchmarks/results/windows-compare.md
#   bash eng/windows.sh memory                    only the time of training steps where freed memory is kept, and where it is given back
#   bash eng/windows.sh run PROJECT [ARGUMENT...] one program, for example: bash eng/windows.sh run samples/Diffusion.Sample info
#   bash eng/windows.sh root                      only makes the root
#
# The root is made once, outside the repository, in $DIFFUSION_WINDOWS_ROOT (by default ~/.cache/diffusion/windows). What is missing for that is said, and all of it skipped. Programs are
# published to artifacts/windows, with links to the native libraries. The last line is "N passed, N failed, N skipped".
set -euo pipefail
{ # read as a whole before it runs
cd "$(dirname "$0")/.."
repository=$PWD
base=${DIFFUSION_WINDOWS_ROOT:-$HOME/.cache/diffusion/windows}
root=$base/root
command=${1:-leg}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en MSBUILDDISABLENODEREUSE=1
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

case $command in leg | all | compare | memory | root) ;; run) [[ $# -ge 2 ]] || { echo "usage: bash eng/windows.sh run PROJECT [ARGUMENT...]" >&2; exit 2; } ;; *) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "eng/$(basename "$0")" >&2; exit 2 ;; esac

passed=0 failed=0 skipped=0
# What a report says; everything is printed as well.
lines=()
say() { echo "$*"; lines+=("$*"); }
good() { say "PASS: $*"; passed=$((passed + 1)); }
bad() { say "FAIL: $*"; failed=$((failed + 1)); }
skip() { say "SKIP: $*"; skipped=$((skipped + 1)); }
summary() { echo "$passed passed, $failed failed, $skipped skipped"; [[ $failed -eq 0 ]]; exit; }
# Nothing runs: `run` and `root` were asked for it, the rest is skipped.
missing() {
  if [[ $command == run || $command == root ]]; then echo "FAIL: $*" >&2; exit 1; fi
  skip "$*"
  summary
}

# --- The root

[[ "$(uname -sm)" == "Linux x86_64" ]] || missing "Wine runs programs of win-x64 on x86-64 Linux, and this is $(uname -sm)"
[[ $(id -u) -eq 0 ]] || missing "the root with Wine can only be made and entered by the user root (chroot, mount)"
setpriv --pdeathsig KILL unshare --mount --pid --fork true 2> /dev/null || missing "this system lets root make no namespace for mounts (unshare --mount --pid)"
mkdir -p "$base"
exec 9> "$base/lock"
flock --nonblock 9 || { echo "Waiting for another run of eng/windows.sh"; flock 9; }

make_root() {
  local archive mirror='' proxy='' log=$base/root.log
  command -v debootstrap > /dev/null || missing "debootstrap is missing (in Debian's package of that name); the root is made with it"
  command -v wget > /dev/null || missing "wget is missing (in Debian's package of that name); debootstrap needs it"
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  [[ -z $proxy || $proxy == DIRECT ]] || export http_proxy=$proxy
  # The archives that apt uses, whichever they are; the first that has Debian 13.
  while read -r archive; do
    if [[ $(timeout 30 wget --quiet --tries=1 --timeout=10 -O - "$archive/dists/trixie/Release" || true) == *"Origin: Debian"* ]]; then mirror=$archive; break; fi
  done < <(apt-get update --print-uris 2> /dev/null | sed -n "s|^'\(.*\)/dists/.*|\1|p" | awk '!seen[$0]++')
  [[ -n $mirror ]] || missing "no archive that apt uses has Debian 13, or none can be reached (apt-get update --print-uris names them)"
  echo "Making a root of Debian 13 with Wine in $root (1.4 GB, once)"
  rm -rf "$root.new"
  # What debootstrap mounts in it ends with the namespace.
  timeout --kill-after=30 $((5 * 60)) unshare --mount --pid --fork --kill-child debootstrap --variant=minbase --include=wine,wine64 trixie "$root.new" "$mirror" > "$log" 2>&1 \
    || { tail -5 "$log"; missing "debootstrap ended with an error, or took longer than 5 minutes; its log is $log"; }
  rm -rf "$root.new/var/cache/apt/archives"
  mv "$root.new" "$root"
}

# windows PROGRAM.exe ARGUMENT...: in the root, where the repository and $work have the paths that they have here; from the repository's folder, or $folder. All processes and mounts end with it.
windows() {
  setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child bash -c '
    set -e
    root=$1 repository=$2 work=$3 here=$4
    shift 4
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    mount -t tmpfs tmpfs "$root/tmp"
    for folder in "$repository" "$work"; do
      mkdir -p "$root$folder"
      mount --bind "$folder" "$root$folder"
    done
    # KMP_AFFINITY: libiomp5md asks for the masks of NUMA nodes, which Wine does not have. DOTNET_...: where the runtime of .NET stops a thread, Wine now and then loses its vector registers; it
    # stops them for collections of garbage and for methods that are compiled again: few of the first, none of the second.
    passed=(HOME=/root PATH=/usr/bin:/bin LC_ALL=C.UTF-8 WINEDEBUG=-all XDG_RUNTIME_DIR=/tmp KMP_AFFINITY=disabled DOTNET_TieredCompilation=0 DOTNET_gcConcurrent=0 DOTNET_GCgen0size=0x10000000)
    for name in $(compgen -e); do
      case $name in DIFFUSION_WINDOWS_ROOT) ;; DIFFUSION_* | OMP_* | MIMALLOC_* | KMP_* | DOTNET_Enable* | ATEN_* | ONEDNN_* | MKL_*) passed+=("$name=${!name}") ;; esac
    done
    exec chroot "$root" env -i "${passed[@]}" sh -c "cd \"\$1\"; shift; exec wine \"\$@\"" sh "$here" "$@"
  ' windows "$root" "$repository" "$work" "${folder:-$repository}" "$@" 9>&-
}

work=$(mktemp -d "${TMPDIR:-/tmp}/diffusion-windows.XXXXXX")
trap 'rm -rf "$work"' EXIT
[[ -d $root ]] || make_root
version=$(timeout --signal=KILL 120 bash -c "$(declare -f windows); root='$root' repository='$repository' work='$work'; windows cmd /c ver" 2> "$work/wine.log" | tr -d '\r' | grep Windows) \
  || { tail -5 "$work/wine.log"; missing "Wine in $root does not start; remove that folder to have it made anew"; }
[[ $command != root ]] || { echo "$version runs in $root"; exit 0; }

# --- Programs

declare -A published
# publish PROJECT: its program is in ${published[PROJECT]}.
publish() {
  local name
  name=$(basename "$1")
  if ! timeout $((5 * 60)) dotnet publish "$1" -c Release -r win-x64 --self-contained --artifacts-path artifacts/windows -p:RunAnalyzers=false > "$work/publish.log" 2>&1 9>&-; then
    if grep -qE 'NU1301|NU1100|NU1101|NU1102' "$work/publish.log"; then grep -m1 -E 'NU1[13]0' "$work/publish.log"; missing "the packages for win-x64 are not at hand"; fi
    tail -20 "$work/publish.log"
    return 1
  fi
  published[$1]=$repository/artifacts/windows/publish/$name/release_win-x64/$name.exe
}

if [[ $command == run ]]; then
  publish "$2" || exit 1
  windows "${published[$2]}" "${@:3}"
  exit
fi

here=$repository/samples/Diffusion.Sample/bin/Release/net10.0/Diffusion.Sample.dll
kernels=$repository/tests/Diffusion.Kernels.Tests/bin/Release/net10.0/Diffusion.Kernels.Tests.dll
for program in "$here" "$kernels"; do
  [[ -f $program ]] || { bad "no $program; build first: dotnet build -c Release"; summary; }
done

# Tests that fail because of Wine, each with the reason.
rethrown="Wine throws a stored C++ exception itself, not a copy of it, and it is gone when TorchScript reads its text"
declare -A wines=(
  [Diffusion.Tests.ClassifierGuidanceTests.Of_GradientFails_IsAnException]=$rethrown
  [Diffusion.Tests.GraphGradientsTests.Of_WhatLibtorchRefuses_IsAnExceptionWithItsReason]=$rethrown
)

# outcome LOG: "PASSED FAILED SKIPPED" of a test program; nothing where it did not get to its end. What failed outside of a test counts as a test that failed.
outcome() {
  local total
  total=$(grep -E '^ +[A-Za-z.]+ +Total: [1-9]' "$1" | tr -d '\r' || true)
  if [[ $total =~ Total:\ ([0-9]+),\ Errors:\ ([0-9]+),\ Failed:\ ([0-9]+),\ Skipped:\ ([0-9]+),\ Not\ Run:\ ([0-9]+) ]]; then
    echo "$((BASH_REMATCH[1] - BASH_REMATCH[3] - BASH_REMATCH[4] - BASH_REMATCH[5])) $((BASH_REMATCH[2] + BASH_REMATCH[3])) ${BASH_REMATCH[4]}"
  fi
}

# tests NAME ARGUMENT...: the tests of a library as a program of their own. What fails runs once more, in a process for each method: Wine damages the state of a thread now and then (above).
tests() {
  local name=$1 project=tests/Diffusion.$1.Tests start=$SECONDS status=0 log=$work/$1.log test left=() right wrong not again
  publish "$project" || { bad "$project is not published"; return; }
  for test in "${!wines[@]}"; do left+=(-method- "$test"); done
  windows "${published[$project]}" -noColor -noLogo -parallel none "${left[@]}" "${@:2}" < /dev/null > "$log" 2>&1 || status=$?
  read -r right wrong not < <(outcome "$log") || { tail -20 "$log"; bad "the tests of $name ended with $status and no result"; return; }
  while IFS= read -r test; do lines+=("    $test"); done < <(grep -A1 -E '\[SKIP\]' "$log" | tr -d '\r' | grep -v -e '^--$' | sed 's/^ *//')
  if [[ $wrong -gt 0 ]]; then grep -A12 -E '\[FAIL\]' "$log" || true; elif [[ $status -ne 0 ]]; then tail -20 "$log"; bad "the tests of $name ended with $status"; fi
  while read -r again test; do
    windows "${published[$project]}" -noColor -noLogo -parallel none -method "$test" < /dev/null > "$work/again.log" 2>&1 || continue
    [[ $(outcome "$work/again.log") == *" 0 "* ]] || continue
    say "SKIP: $test: failed in Wine, $again of its cases, and passed by itself"
    wrong=$((wrong - again)) not=$((not + again))
  done < <(grep -E '\[FAIL\]' "$log" | sed 's/^ *//;s/[( ].*//' | sort | uniq -c)
  say "$name: $right passed, $wrong failed, $not skipped"
  echo "That took $((SECONDS - start)) s"
  passed=$((passed + right)) failed=$((failed + wrong)) skipped=$((skipped + not))
}

# app NAME ARGUMENT...: a verb of the sample app in Wine, as one test.
app() {
  local name=$1 status=0
  windows "${published[samples/Diffusion.Sample]}" "${@:2}" < /dev/null > "$work/app.log" 2>&1 || status=$?
  if [[ $status -eq 0 ]]; then good "$name"; else tail -20 "$work/app.log"; bad "$name ended with $status"; return 1; fi
}

# largest FILE FILE: the largest relative difference of the losses of two runs, the largest difference of two tensors; nothing where they have other steps or sizes.
losses() {
  awk -F, 'FNR == 1 { next } NR == FNR { loss[$1] = $2; count++; next } { if (!($1 in loss) || $2 !~ /^[0-9.]/) wrong = 1; else { seen++; d = ($2 - loss[$1]) / loss[$1]; if (d < 0) d = -d; if (d > most) most = d } }
    END { if (!wrong && seen == count && seen > 0) printf "%.1e\n", most }' "$1" "$2"
}
numbers() { od -An -v -w4 -t f4 -j $(($(od -An -t u8 -N 8 "$1") + 8)) "$1"; } # after the length of the header, and the header
tensors() {
  paste <(numbers "$1") <(numbers "$2") | awk 'NF != 2 { wrong = 1 } { d = $1 - $2; if (d < 0) d = -d; if (!(d <= 1e30)) wrong = 1; if (d > most) most = d } END { if (!wrong && NR > 0) printf "%.1e\n", most }'
}
within() { [[ -n $1 ]] && awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b) }'; }

# What DiffusionRuntime.KeepFreedMemory does on Windows, which the app calls: ratios of the time of the same steps, in turns. Times in Wine are not those of Windows.
memory() {
  local turn delay seconds
  cat > "$work/memory.json" <<JSON
{ "data": { "path": "$repository/samples/data/mnist", "limit": 400 },
  "model": { "stemChannels": 32, "down": [ { "channels": 32, "layers": 1 }, { "channels": 64, "layers": 1 }, { "channels": 128, "layers": 1, "attention": true } ], "mid": [ { "channels": 128 } ], "timeDimension": 64 },
  "training": { "steps": 12, "batchSize": 64, "seed": 1 },
  "sampling": { "count": 1, "steps": 2 } }
JSON
  local -A took=()
  for turn in 1 2; do
    for delay in kept 10 0; do
      MIMALLOC_PURGE_DELAY=$delay
      if [[ $delay == kept ]]; then unset MIMALLOC_PURGE_DELAY; else export MIMALLOC_PURGE_DELAY; fi
      app "12 steps of 64, turn $turn, memory $delay" train --config "$work/memory.json" --out "$work/memory-$turn-$delay" || true
      seconds=$(grep -ao 'Training took [0-9.]*' "$work/app.log" | grep -o '[0-9.]*$' || true)
      took[$delay]="${took[$delay]:-} ${seconds:-0}"
    done
  done
  unset MIMALLOC_PURGE_DELAY
  ratio() { awk -v a="${took[$1]}" -v b="${took[$2]}" 'function least(t, v, n, i, m) { n = split(t, v, " "); m = v[1]; for (i = 2; i <= n; i++) if (v[i] < m) m = v[i]; return m } BEGIN { a = least(a); b = least(b); if (b > 0) printf "%.2f", a / b }'; }
  say "Memory that mimalloc keeps (KeepFreedMemory): $(ratio kept 10) of the time of giving it back after 10 ms, $(ratio kept 0) of that of giving it back at once"
}

# --- What runs

if [[ $command == memory ]]; then
  publish samples/Diffusion.Sample || { bad "samples/Diffusion.Sample is not published"; summary; }
  memory
  summary
fi

# compared LEVEL SETTING...: a table of the ratios at a level; the highest is the processor's own.
compared() {
  local level=$1 program=$repository/benchmarks/Diffusion.Benchmarks/bin/Release/net10.0/Diffusion.Benchmarks.dll
  shift
  medians() { sed -n 's/^  "\([a-z0-9_.]*\)": \([0-9.e-]*\),\r\{0,1\}$/\1 \2/p' "$1" | grep -E '^(train_step|reverse|optimizer|managed)' || true; }
  if ! env "$@" dotnet exec "$program" compare --network course --json "$work/here.json" > "$work/compare.log" 2>&1; then
    if grep -q DIFFUSION_CPU "$work/compare.log"; then skip "$level: $(grep -m1 DIFFUSION_CPU "$work/compare.log")"; else tail -5 "$work/compare.log"; bad "compare at $level"; fi
    return
  fi
  (export "$@"; windows "${published[benchmarks/Diffusion.Benchmarks]}" compare --network course --json "$work/there.json" < /dev/null > "$work/compare.log" 2>&1) \
    || { tail -5 "$work/compare.log"; bad "compare at $level in Wine"; return; }
  say ""
  say "| at $level | Linux | Wine |"
  say "|---|---|---|"
  while read -r name one other; do say "| $name | $(printf '%.2f' "$one") | $(printf '%.2f' "$other") |"; done < <(join <(medians "$work/here.json" | sort) <(medians "$work/there.json" | sort))
  passed=$((passed + 1))
}

if [[ $command == compare ]]; then
  publish benchmarks/Diffusion.Benchmarks || { bad "benchmarks/Diffusion.Benchmarks is not published"; summary; }
  unset OMP_NUM_THREADS
  compared "the processor's own level" DIFFUSION_CPU=
  compared avx2 DIFFUSION_CPU=avx2 ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2
  {
    echo "# Against eager, on Linux and in Wine"
    echo
    echo "\`bash eng/windows.sh compare\` wrote this: ratios of this library's time to that of eager, the same network out of TorchSharp's modules, each in one process on the same machine; smaller is better. Wine is not Windows, and no time in"
    echo "it is one of Windows. \`managed_memory\` is KiB a reverse step. At \`avx2\` libtorch, and so eager, is limited to AVX2 too."
    echo
    echo "- Processor: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) cores; $(dotnet exec "$here" info | grep -ao 'level [a-z0-9]*' | head -1)"
    echo "- System: $version in $(chroot "$root" dpkg-query -W -f '${Package} ${Version}' wine)"
    printf '%s\n' "${lines[@]}"
  } > "$work/report.md"
  [[ $failed -gt 0 ]] || { mv "$work/report.md" benchmarks/results/windows-compare.md; echo "Wrote benchmarks/results/windows-compare.md"; }
  summary
fi

tests Kernels
# MemoryTests take minutes.
if [[ $command == all ]]; then tests Core; else tests Core -class- '*.MemoryTests'; fi
for test in "${!wines[@]}"; do skip "$test: ${wines[$test]}"; done
if [[ $command == all ]]; then tests Models; tests Imaging; tests Configuration; fi

# Kernels alone: the same bits.
bits() { grep -o 'bits [a-z].*' "$1" | tr -d '\r' | sort; }
alike=(-noColor -noLogo -parallel none -showLiveOutput -class '*.KernelBitsTests')
if [[ -n ${published[tests/Diffusion.Kernels.Tests]:-} ]] && windows "${published[tests/Diffusion.Kernels.Tests]}" "${alike[@]}" < /dev/null > "$work/bits-there.log" 2>&1 && dotnet exec "$kernels" "${alike[@]}" > "$work/bits-here.log" 2>&1; then
  if [[ -z $(bits "$work/bits-here.log") ]]; then skip "this processor has no kernels whose bits could be compared"
  elif diff <(bits "$work/bits-here.log") <(bits "$work/bits-there.log"); then good "outputs and gradients of $(bits "$work/bits-here.log" | wc -l) kernels and levels have the bits of Linux"
  else bad "kernels have other bits than on Linux"; fi
else
  tail -20 "$work"/bits-*.log
  bad "the bits of kernels were not computed"
fi

if publish samples/Diffusion.Sample; then
  there=$work/there out=$work/here
  if app "info" info; then grep -aE 'processor|libtorch|kernels|agree' "$work/app.log" | tr -d '\r' | tr -c '[:print:]\n' ' ' || true; fi
  for precision in float32 bfloat16; do
    cat > "$work/$precision.json" <<JSON
{ "data": { "path": "$repository/samples/data/mnist", "limit": 400 },
  "model": { "stemChannels": 16, "down": [ { "channels": 16, "layers": 1 }, { "channels": 32, "layers": 1, "attention": true } ], "mid": [ { "channels": 32 } ],
             "timeDimension": 32, "downsampling": "convolution4", "upsampling": "transposed" },
  "training": { "steps": 20, "batchSize": 16, "seed": 1, "precision": "$precision" },
  "sampling": { "count": 4, "steps": 10 } }
JSON
    if ! dotnet exec "$here" train --config "$work/$precision.json" --out "$out-$precision" > "$work/here.log" 2>&1; then
      tail -20 "$work/here.log"
      bad "no training in $precision on this machine itself"
      continue
    fi
    if app "train, 20 steps in $precision" train --config "$work/$precision.json" --out "$there-$precision"; then
      # libtorch's builds differ; what is bfloat16 rounds some of these differences up.
      allowed=$([[ $precision == float32 ]] && echo 1e-5 || echo 1e-3)
      most=$(losses "$out-$precision/losses.csv" "$there-$precision/losses.csv")
      if within "$most" "$allowed"; then good "the losses of Linux in $precision: largest relative difference $most, allowed $allowed"; else bad "other losses than on Linux in $precision: ${most:-other steps}, allowed $allowed"; fi
    fi
  done
  if app "train --stop-after 7" train --config "$work/float32.json" --stop-after 7 --out "$there-resumed" && app "train --resume" train --config "$work/float32.json" --resume --out "$there-resumed"; then
    if cmp "$there-float32/model.safetensors" "$there-resumed/model.safetensors"; then good "a run that was stopped and resumed has the weights of one that was not"; else bad "a run that was stopped and resumed has other weights"; fi
  fi
  # Of the same weights, written here.
  if dotnet exec "$here" sample --checkpoint "$out-float32" --raw --count 4 --seed 3 --out "$out-sample" > "$work/here.log" 2>&1 && app "sample --raw of a run of Linux" sample --checkpoint "$out-float32" --raw --count 4 --seed 3 --out "$there-sample"; then
    most=$(tensors "$out-sample/samples.safetensors" "$there-sample/samples.safetensors")
    if within "$most" 1e-4; then good "the samples of Linux: largest difference $most, allowed 1e-4"; else bad "other samples than on Linux: ${most:-other sizes}, allowed 1e-4"; fi
  fi
  if dotnet exec "$here" sample --checkpoint "$there-float32" --count 1 --out "$out-back" > "$work/here.log" 2>&1; then good "Linux samples from a run of Windows"; else tail -5 "$work/here.log"; bad "Linux does not read a run of Windows"; fi
  app "info of a run" info "$there-float32" || true
  if app "convert" convert --from "$out-float32/model.safetensors" --to "$there-converted.safetensors"; then
    if dotnet exec "$here" convert --from "$out-float32/model.safetensors" --to "$out-converted.safetensors" > "$work/here.log" 2>&1 && cmp "$out-converted.safetensors" "$there-converted.safetensors"; then
      good "convert writes the bytes of Linux"
    else
      bad "convert writes other bytes than on Linux"
    fi
  fi
  levels=(plain avx2 avx512)
  if [[ $command == all ]]; then
    for level in "${levels[@]}"; do
      if ! DIFFUSION_CPU=$level dotnet exec "$here" train --config "$work/float32.json" --out "$out-$level" > "$work/here.log" 2>&1; then skip "$level: $(grep -m1 DIFFUSION_CPU "$work/here.log")"; continue; fi
      if DIFFUSION_CPU=$level app "train at $level" train --config "$work/float32.json" --out "$there-$level"; then
        most=$(losses "$out-$level/losses.csv" "$there-$level/losses.csv")
        if within "$most" 1e-5; then good "the losses of Linux at $level: largest relative difference $most, allowed 1e-5"; else bad "other losses than on Linux at $level: ${most:-other steps}, allowed 1e-5"; fi
      fi
    done
  fi
else
  bad "samples/Diffusion.Sample is not published"
fi

if [[ $command == all ]]; then
  if [[ -n ${published[samples/Diffusion.Sample]:-} ]]; then memory; fi
  if publish samples/Hello && folder=$work windows "${published[samples/Hello]}" "$repository/samples/data/mnist" 40 < /dev/null > "$work/hello.log" 2>&1 && [[ -f $work/digits.png ]]; then
    good "Hello, 40 of its 800 steps"
  else
    tail -5 "$work/hello.log"
    bad "Hello"
  fi
  {
    echo "# Programs for Windows, run in Wine"
    echo
    echo "\`bash eng/windows.sh all\` wrote this. The programs are published for win-x64, self-contained, with libtorch's CPU build for Windows, and run in Wine of Debian 13, which is not Windows."
    echo
    echo "- System: $version in $(chroot "$root" dpkg-query -W -f '${Package} ${Version}' wine)"
    echo "- Processor: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) used, one thread for libtorch"
    echo "- .NET SDK $(dotnet --version)"
    echo
    printf '```\n'
    printf '%s\n' "${lines[@]}" "$passed passed, $failed failed, $skipped skipped"
    printf '```\n'
  } > "$work/report.md"
  mv "$work/report.md" benchmarks/results/windows.md
  echo "Wrote benchmarks/results/windows.md"
fi
summary
exit
}
