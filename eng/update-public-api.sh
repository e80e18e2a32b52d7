#!/usr/bin/env bash
# Rewrites src/*/PublicAPI.Unshipped.txt from what the code exposes now. Look at the diff before you commit it: it is the API change.
# Where a library does not compile, its file stays as it was, and the errors are shown.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
api= # the file that is being rewritten
restore() { [[ -z $api ]] || cp "$work/before" "$api"; rm -rf "$work"; }
trap restore EXIT
for project in src/*/; do
  name=$(basename "$project")
  cp "$project/PublicAPI.Unshipped.txt" "$work/before"
  api=$project/PublicAPI.Unshipped.txt
  echo '#nullable enable' > "$api" # so that the build names everything
  { grep -v '^#' "$project/PublicAPI.Shipped.txt" || true; } > "$work/shipped"
  dotnet build "$project" -c Release --no-incremental -p:TreatWarningsAsErrors=false -p:WarningLevel=9 > "$work/build.log" 2>&1 \
    || { grep -E 'error|FAIL' "$work/build.log" | sort -u >&2; echo "$project does not compile." >&2; exit 1; }
  { echo '#nullable enable'
    sed -n "s/.*$name[^ ]*: warning RS0016: Symbol '\(.*\)' is not part of the declared public API.*/\1/p;s/.*warning RS0016: Symbol '\(.*\)' is not part of the declared public API.*$name.csproj.*/\1/p" "$work/build.log" \
      | LC_ALL=C sort -u | { grep -vxFf "$work/shipped" || true; }; } > "$work/after"
  cp "$work/after" "$api"
  api=
done
