#!/usr/bin/env bash
# Packs the app as the .NET tool Diffusion.Tool (command `diffusion`), installs it from the folder of packages and uses it outside the repository:
#   eng/tool.sh [SYSTEM...]     of linux-x64, osx-arm64 and win-x64; by default this machine's
# The packages are then in artifacts/tool/feed: one that names the systems, and one for each, with libtorch's CPU build in it. A package larger than 250 MB, which the public feed
# refuses, is a failure. Prints the sizes, and PASS or FAIL at the end. It takes three minutes on one slow core, and once the download of libtorch for other systems.
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
work=$(mktemp -d "${TMPDIR:-/tmp}/diffusion-tool.XXXXXX")
trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*"; exit 1; }

# A program for another processor runs on no machine here, so that the name of this system needs no more care.
case "$(uname -sm)" in
  "Linux x86_64") own=linux-x64 ;;
  "Darwin arm64") own=osx-arm64 ;;
  *) own=none ;;
esac
systems=("$@")
[[ $# -gt 0 ]] || systems=("$own")
for system in "${systems[@]}"; do
  [[ $system == linux-x64 || $system == osx-arm64 || $system == win-x64 ]] || fail "there is no libtorch for '$system': linux-x64, osx-arm64 or win-x64"
done

version=$(dotnet msbuild src/Diffusion.Core/Diffusion.Core.csproj -getProperty:Version)-tool.$(date -u +%Y%m%d%H%M%S)
feed=$repository/artifacts/tool/feed
rm -rf "$feed"
echo "Packing $version for ${systems[*]}"
# The project's own folders hold the app for `dotnet run`, of another name: the tool has folders of its own.
dotnet pack samples/Diffusion.Sample -c Release -p:DiffusionTool=true -p:DiffusionToolSystems="$(IFS=+ && echo "${systems[*]}")" -p:Version="$version" -p:RunAnalyzers=false -p:UseSharedCompilation=false \
  --artifacts-path "$repository/artifacts/tool" -o "$feed" -v quiet > "$work/log" 2>&1 || { cat "$work/log"; fail "the tool does not pack"; }

for system in "${systems[@]}"; do
  package=$feed/Diffusion.Tool.$system.$version.nupkg
  [[ -f $package ]] || fail "no package for $system"
  bytes=$(wc -c < "$package")
  echo "$(basename "$package"): $((bytes / 1000000)) MB"
  [[ $bytes -le 250000000 ]] || fail "the public feed takes packages of up to 250 MB"
done
[[ -f $feed/Diffusion.Tool.$version.nupkg ]] || fail "no package that names the systems"
[[ " ${systems[*]} " == *" $own "* ]] || { echo "SKIP: installing it, for it is not packed for this system"; echo PASS; exit; }

echo "Installing and using it"
cat > "$work/nuget.config" <<XML
<configuration>
  <packageSources>
    <clear />
    <add key="ours" value="$feed" />
  </packageSources>
</configuration>
XML
dotnet tool install Diffusion.Tool --tool-path "$work/bin" --version "$version" --configfile "$work/nuget.config" > "$work/log" 2>&1 || { cat "$work/log"; fail "the tool cannot be installed"; }
cd "$work" # where the repository is not, the models and configurations of the tool have to do
export OMP_NUM_THREADS=1
# says TEXT ARGUMENT...: the tool ends well and prints the text, in lines of whatever width.
says() {
  "$work/bin/diffusion" "${@:2}" > "$work/log" 2>&1 || { cat "$work/log"; fail "diffusion ${*:2}"; }
  tr -s '[:space:]' ' ' < "$work/log" | grep -qF -- "$1" || { cat "$work/log"; fail "diffusion ${*:2} does not say '$1'"; }
}
says "diffusion [command] [options]" --help
says "libtorch" info
says "comes with this program" sample --checkpoint samples/models/mnist --label 7 --count 4 --steps 4 --out drawn
[[ -s drawn/digits.png ]] || fail "nothing was drawn"
says "Step 2 of" train --config samples/configs/mnist-quick.json --stop-after 2 --out run
says "run/checkpoints" info run
echo "PASS"
