#!/usr/bin/env bash
# Trains 500 steps as a commit does and as the working tree does, and compares the losses bit for bit: what a change that only moves code must leave as it is.
#   eng/same-training.sh COMMIT
# Prints a line for each configuration. Ends with 0 where all is the same, with 1 where a value differs, and with 2 where it cannot tell. DIFFUSION_CPU and the like hold for both.
set -euo pipefail
[[ $# -eq 1 && $1 != -* ]] || { echo "usage: eng/same-training.sh COMMIT, as in: eng/same-training.sh HEAD~1" >&2; exit 2; }
cd "$(dirname "$0")/.."
repository=$PWD
commit=$(git rev-parse --verify --quiet "$1^{commit}") || { echo "FAIL: no commit $1" >&2; exit 2; }
steps=500
# One thread: libtorch's threads spin while they wait, and sums of one thread have one order.
export OMP_NUM_THREADS=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1

work=$(mktemp -d "${TMPDIR:-/tmp}/diffusion-same.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
fail() { echo "FAIL: $*" >&2; exit 2; }

# build TREE: the app of a tree. Its native libraries, 486 MB, are links to the package cache where that is on the same file system.
build() {
  (cd "$1" && dotnet build samples/Diffusion.Sample -c Release -p:UseSharedCompilation=false -v quiet --nologo) > "$work/build.log" 2>&1 || { cat "$work/build.log"; fail "$1 does not build"; }
}

# train TREE NAME CONFIGURATION KEY VALUE: the first steps of the tree's own configuration with another value of one key; names may differ between the trees. The run is in $work/NAME.
train() {
  local tree=$1 folder=$work/$2 file=$1/samples/configs/$3 key=$4 value=$5
  [[ -f $file ]] || fail "$tree has no samples/configs/$3"
  mkdir -p "$folder/configs"
  ln -s "$tree/samples/data" "$folder/data" # where the configuration looks for it
  sed -E "s/(\"$key\": *)(\"[^\"]*\"|[0-9.]+)/\1$value/" "$file" > "$folder/configs/$3"
  grep -qF "\"$key\": $value" "$folder/configs/$3" || fail "$file has no $key"
  dotnet exec "$tree/samples/Diffusion.Sample/bin/Release/net10.0/Diffusion.Sample.dll" train --config "$folder/configs/$3" --seed 1 --stop-after "$steps" --out "$folder/run" > "$folder/log" 2>&1 \
    || { cat "$folder/log"; fail "$tree does not train $3"; }
}

# same FILE FILE NAME: whether two losses.csv are the same in every column that both have, text by text: they hold the step, its losses, learning rate and norm of the gradients, with all digits, and no times.
same() {
  awk -F, -v steps="$steps" -v name="$3" '
    function broken(message) { print "FAIL: " name ": " message; status = 2; exit 2 }
    FNR == 1 { file++; for (i = 1; i <= NF; i++) column[file, $i] = i; if (file == 1) { count = NF; for (i = 1; i <= NF; i++) names[i] = $i }; next }
    file == 1 { if ($1 != FNR - 1) broken("no step " FNR - 1); for (i = 1; i <= NF; i++) before[FNR, i] = $i; last = FNR - 1; next }
    {
      if ($1 != FNR - 1) broken("no step " FNR - 1)
      lines = FNR - 1
      for (i = 1; i <= count; i++) {
        if (!((2, names[i]) in column)) continue
        now = $column[2, names[i]]
        if (now "" != before[FNR, i] "") { print name ": step " lines " differs in " names[i] ": " before[FNR, i] " before, " now " now"; status = 1; exit 1 }
      }
    }
    END {
      if (status) exit status
      if (last != steps || lines != steps || column[1, "step"] != 1 || column[2, "step"] != 1 || !((1, "loss") in column && (2, "loss") in column)) broken(last + 0 " and " lines + 0 " lines of losses")
      print steps " steps, " name ": the same losses"
    }' "$1" "$2"
}

before=$work/before
mkdir "$before"
git archive "$commit" | tar -x -C "$before"
echo "Building $(git log -1 --format='%h, %s' "$commit")"
build "$before"
echo "Building the working tree"
build "$repository"

# The course's network on an eighth of its images a step takes an eighth of the time.
status=0
while read -r config key value; do
  name="$config with $key $value"
  train "$before" "$config-before" "$config" "$key" "$value"
  train "$repository" "$config-now" "$config" "$key" "$value"
  result=0
  same "$work/$config-before/run/losses.csv" "$work/$config-now/run/losses.csv" "$name" || result=$?
  [[ $result -le $status ]] || status=$result
done <<'RUNS'
mnist-quick.json precision "float32"
mnist-course.json batchSize 8
RUNS
exit "$status"
