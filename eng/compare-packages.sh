#!/usr/bin/env bash
# Packs the commit of eng/interface-baseline.txt and the working tree, and lists what a program that was built with the former misses in the latter: types and members that are gone or differ, names of parameters.
#   eng/compare-packages.sh [--accept] [COMMIT [PACKAGE...]]
# COMMIT is another commit than that of the file, PACKAGE limits the comparison. --accept writes what differs into src/*/CompatibilitySuppressions.xml: breaks that are meant, and no failures from then on.
# Ends with 0 where nothing is missing but what those files list, with 1 where something is, and with 2 where it cannot tell. It takes about ten minutes on one slow core.
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD
accept=false
[[ ${1-} != --accept ]] || { accept=true; shift; }
[[ ${1-} != -* ]] || { echo "usage: eng/compare-packages.sh [--accept] [COMMIT [PACKAGE...]]" >&2; exit 2; }
name=${1-$(grep -v '^#' eng/interface-baseline.txt)}
commit=$(git rev-parse --verify --quiet "$name^{commit}") || { echo "FAIL: no commit $name" >&2; exit 2; }
packages=("${@:2}")
# compared LIBRARY: whether it is to be compared.
compared() { [[ ${#packages[@]} -eq 0 || " ${packages[*]} " == *" $1 "* ]]; }
for package in "${packages[@]}"; do
  [[ -f src/$package/$package.csproj ]] || { echo "FAIL: no package $package in src" >&2; exit 2; }
done
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en MSBUILDDISABLENODEREUSE=1

work=$(mktemp -d "${TMPDIR:-/tmp}/diffusion-compare.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# pack TREE LIBRARY FOLDER PROPERTY...: a package of a tree, of the version 1.0.0. The projects' own folders stay as they are.
pack() {
  local tree=$1 library=$2 folder=$3
  shift 3
  (cd "$tree" && dotnet pack "src/$library" -c Release -o "$folder" --artifacts-path "$repository/artifacts/compare/$(basename "$folder")" -p:Version=1.0.0 -p:RunAnalyzers=false -p:UseSharedCompilation=false -v quiet --nologo "$@") > "$work/log" 2>&1
}

echo "Packing $(git log -1 --format='%h, %s' "$commit")"
git clone -q --shared --no-checkout "$repository" "$work/tree"
git -C "$work/tree" checkout -q --detach "$commit"
for project in "$work"/tree/src/*/*.csproj; do
  library=$(basename "$project" .csproj)
  compared "$library" || continue
  pack "$work/tree" "$library" "$work/before" || { cat "$work/log"; echo "FAIL: $library of the commit does not pack" >&2; exit 2; }
done

status=0
for package in "$work"/before/*.nupkg; do
  library=$(basename "$package" .1.0.0.nupkg)
  if [[ ! -f src/$library/$library.csproj ]]; then
    echo "$library: the package is gone"
    status=1
  elif pack "$repository" "$library" "$work/now" -p:EnablePackageValidation=true -p:PackageValidationBaselinePath="$package" -p:ApiCompatEnableRuleCannotChangeParameterName=true -p:ApiCompatGenerateSuppressionFile="$accept"; then
    if [[ -f src/$library/CompatibilitySuppressions.xml ]]; then
      echo "$library: nothing is missing but the $(grep -c '<Suppression>' "src/$library/CompatibilitySuppressions.xml") breaks of src/$library/CompatibilitySuppressions.xml"
    else
      echo "$library: nothing is missing"
    fi
  elif grep -qE 'error (CP|PKV)[0-9]+' "$work/log"; then
    echo "$library:"
    grep -oE 'error (CP|PKV)[0-9]+: .*' "$work/log" | sed -E 's/^error /  /; s/ \[[^]]*\.csproj[^]]*\]$//' | sort -u
    status=1
  else
    cat "$work/log"
    echo "FAIL: $library does not pack" >&2
    exit 2
  fi
done
for project in src/*/*.csproj; do
  library=$(basename "$project" .csproj)
  ! compared "$library" || [[ -f $work/before/$library.1.0.0.nupkg ]] || echo "$library: a new package"
done
if [[ $status -eq 0 ]]; then echo "PASS"; else echo "FAIL: the interface differs from that of ${commit:0:10}"; fi
exit "$status"
