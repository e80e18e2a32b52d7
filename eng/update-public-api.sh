#!/usr/bin/env bash
# Rewrites src/*/PublicAPI.Unshipped.txt from what the code exposes now. Look at the diff before you commit it: it is the API change.
set -euo pipefail
cd "$(dirname "$0")/.."
shipped=$(mktemp)
trap 'rm -f "$shipped"' EXIT
for project in src/*/; do
  name=$(basename "$project")
  echo '#nullable enable' > "$project/PublicAPI.Unshipped.txt"
  { grep -v '^#' "$project/PublicAPI.Shipped.txt" || true; } > "$shipped"
  dotnet build "$project" -c Release --no-incremental -p:TreatWarningsAsErrors=false -p:WarningLevel=9 2>&1 \
    | sed -n "s/.*$name[^ ]*: warning RS0016: Symbol '\(.*\)' is not part of the declared public API.*/\1/p;s/.*warning RS0016: Symbol '\(.*\)' is not part of the declared public API.*$name.csproj.*/\1/p" \
    | LC_ALL=C sort -u | { grep -vxFf "$shipped" || true; } >> "$project/PublicAPI.Unshipped.txt"
done
