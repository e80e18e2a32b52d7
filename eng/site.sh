#!/usr/bin/env bash
# Builds the site: the documents, with the README's table as their contents, and the API reference, in artifacts/site. To read it, with the address that this prints:
#   dotnet docfx serve artifacts/site
# A page's links to files bring these along, one to a folder leads to its README.md or to a list of its files. A link that leads nowhere is an error, as every warning is.
# The last line is "1 passed, 0 failed, 0 skipped"; where the tool cannot be restored it says so and skips.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en MSBUILDDISABLENODEREUSE=1

repository=$PWD
work=artifacts/site-work # in the repository, where docfx finds the manifest of tools
log=$(mktemp)
trap 'rm -f "$log"' EXIT
fail() { echo "FAIL: $*"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }

# docfx COMMAND
docfx() {
  echo "docfx $1"
  (cd "$work" && dotnet docfx "$1" docfx.json --warningsAsErrors --disableGitFeatures) > "$log" 2>&1 || { grep -E 'warning|error' "$log" || cat "$log"; fail "docfx $1"; }
}

# follow: takes the next page of the queue along, and all that its links lead to. Links to folders are changed.
follow() {
  local page=${queue[0]} changes=() target path
  queue=("${queue[@]:1}")
  while read -r target; do
    path=$(realpath -m --relative-to=. "$(dirname "$page")/$target")
    [[ -e $path && $path != ../* ]] || fail "$page links to $target, which is not there"
    if [[ -d $path ]]; then
      [[ -f $path/README.md ]] || list "$path"
      changes+=(-e "s#](${target%/}/\?)#](${target%/}/README.md)#g")
      path+=/README.md
    fi
    take "$path"
  done < <(awk -f eng/site/links.awk "$page")
  mkdir -p "$work/$(dirname "$page")"
  awk -f eng/site/page.awk "$work/names.txt" "$page" | sed "${changes[@]}" -e '' > "$work/$page"
}

# take FILE: once; pages go to the queue, others as they are.
take() {
  [[ -z ${taken[$1]:-} ]] || return 0
  taken[$1]=yes
  if [[ ! -f $1 ]]; then
    return 0 # the list of a folder
  elif [[ $1 == *.md ]]; then
    queue+=("$1")
  else
    mkdir -p "$work/$(dirname "$1")"
    cp "$1" "$work/$1"
  fi
}

# list FOLDER: a page with its files.
list() {
  local file
  [[ ! -f $work/$1/README.md ]] || return 0
  mkdir -p "$work/$1"
  { printf '# %s\n' "$1"; git ls-files "$1" | while read -r file; do printf -- '- [%s](%s)\n' "${file#"$1"/}" "${file#"$1"/}"; done; } > "$work/$1/README.md"
  while read -r file; do take "$file"; done < <(git ls-files "$1" | grep -v '\.md$')
}

# entry DEPTH PAGE NAME: of docs/toc.yml.
entry() {
  local indent=$((2 * ($1 - 1)))
  [[ $1 -le $depth ]] || printf "%$((indent - 2))s  items:\n" ''
  printf "%${indent}s- name: \"%s\"\n%${indent}s  href: %s\n" '' "$3" '' "$(realpath -m --relative-to=docs "$2")"
  depth=$1
  listed[$2]=yes
}

# group NAME PAGE...: those that are not in the contents yet, by their titles.
group() {
  local name=$1 page
  shift
  depth=2
  for page; do
    [[ -z ${listed[$page]:-} ]] || continue
    [[ -z $name ]] || printf -- '- name: "%s"\n  items:\n' "$name"
    name=
    entry 2 "$page" "$(sed -n '/^# /{s/^# //;s/"//g;p;q}' "$work/$page")"
  done
}

dotnet tool restore > "$log" 2>&1 || { echo "SKIP: docfx cannot be restored: $(grep -m1 -i error "$log" || tail -1 "$log")"; echo "0 passed, 0 failed, 1 skipped"; exit; }
dotnet build samples/Diffusion.Sample -c Release -v quiet --nologo > "$log" 2>&1 || { cat "$log"; fail "the libraries do not build"; }

rm -rf "$work" artifacts/site
mkdir -p "$work/assemblies" "$work/api" "$work/docs"
# The app refers to all libraries; what these refer to lies beside them.
cp samples/Diffusion.Sample/bin/Release/net10.0/{*.dll,Diffusion.*.xml} "$work/assemblies"
cp eng/site/docfx.json "$work"
docfx metadata
cp eng/site/api.md "$work/api/index.md"
grep -hE '^- uid: Diffusion\.' "$work"/api/*.yml | sed 's/^- uid: //' | sort -u > "$work/uids.txt"
awk -f eng/site/names.awk "$work/api/toc.yml" "$work/uids.txt" > "$work/names.txt"

declare -A taken=() listed=()
queue=()
depth=1
mapfile -t pages < <(git ls-files --cached --others --exclude-standard 'README.md' 'CONTRIBUTING.md' 'CHANGELOG.md' 'docs/*.md')
for page in "${pages[@]}"; do take "$page"; done
while [[ ${#queue[@]} -gt 0 ]]; do follow; done
mapfile -t pages < <(cd "$work" && find . -name '*.md' | sed 's|^\./||' | LC_ALL=C sort | grep -vE '^(api/index|README)\.md$')

printf '[!include[Diffusion for .NET](README.md)]\n' > "$work/index.md"
printf -- '- name: Documents\n  href: docs/\n- name: API\n  href: api/\n' > "$work/toc.yml"
under() { printf '%s\n' "${pages[@]}" | grep -E "$1" || true; }
{
  printf -- '- name: Home\n  href: ../index.md\n'
  while read -r level page name; do entry "$level" "$page" "$name"; done < <(awk -f eng/site/contents.awk README.md)
  group Tutorials $(under '^docs/tutorials/')
  group Decisions $(under '^docs/decisions/')
  group "More documents" $(under '^docs/')
  group Models $(under '^samples/')
  group Measurements $(under '^benchmarks/')
  group Project $(under .)
} > "$work/docs/toc.yml"
docfx build

mv "$work/site" artifacts/site
rm artifacts/site/manifest.json # where it was built
find artifacts/site -name '*.map' -delete # of the template's scripts, for debugging
! grep -rlF "$repository" artifacts/site || fail "these files name a folder of this machine"
rm -rf "$work"
echo "artifacts/site: ${#pages[@]} documents, $(find artifacts/site/api -name '*.html' | wc -l) pages of the reference, $(du -sm artifacts/site | cut -f1) MB; dotnet docfx serve artifacts/site"
echo "1 passed, 0 failed, 0 skipped"
