#!/usr/bin/env bash
# Draws the pictures of the gallery and of docs/tasks.md anew, with the models of the repository: each by the command that stands above it on the page; what is trained for them lies in out afterwards. Minutes on two cores.
#   eng/gallery.sh [PAGE...]
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
most=150000 # bytes of a picture

work=$(mktemp -d "${TMPDIR:-/tmp}/diffusion-gallery.XXXXXX")
trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }

dotnet build samples/Diffusion.Sample -c Release -v quiet --nologo > "$work/build.log" 2>&1 || { cat "$work/build.log"; fail "the app does not build"; }

app() { dotnet exec samples/Diffusion.Sample/bin/Release/net10.0/Diffusion.Sample.dll "$@" > "$work/run.log" 2>&1 < /dev/null || { cat "$work/run.log"; fail "$*"; }; }

# draw PICTURE COMMAND...: the file of the picture's name, or of the command's.
draw() {
  local picture=$1 drawn start=$SECONDS
  shift
  app "$@" --out "$work/drawn"
  grep -A1 -E 'root mean square' "$work/run.log" || true
  drawn=$work/drawn/$(basename "$picture")
  [[ -f $drawn ]] || drawn=$work/drawn/$1.png
  [[ -f $drawn ]] || fail "$* makes no picture for $picture"
  [[ $(wc -c < "$drawn") -le $most ]] || fail "$picture has $(wc -c < "$drawn") bytes, more than $most: $*"
  mkdir -p "$(dirname "$picture")"
  cp "$drawn" "$picture"
  rm -rf "$work/drawn"
  echo "$picture: $(wc -c < "$picture") bytes, $((SECONDS - start)) s: $*"
}

[[ $# -gt 0 ]] || set -- docs/gallery/README.md docs/tasks.md
for page; do
  [[ -f $page ]] || fail "there is no page $page"
  while IFS=$'\t' read -r picture command; do
    [[ -n $command ]] || fail "$page: no command stands above $picture"
    read -ra words <<< "$command"
    if [[ $picture == - ]]; then
      [[ ${words[-2]} == --out && ${words[-1]} == out/?* && ${words[-1]} != *..* ]] || fail "$page: training must end with --out and a folder in out: $command"
      rm -rf "${words[-1]}" # of another training perhaps
      app "${words[@]}"
      tail -n 1 "$work/run.log"
    else
      draw "$(dirname "$page")/$picture" "${words[@]}"
    fi
  done < <(awk -f eng/gallery.awk "$page")
done
