# The pages of the README's table of documentation, a line each: depth, page, name. Links of a row's first cell are pages, those of the second belong to the row's first.
/^## / { table = /^## Documentation/; next }
!table || !/^\|.*\]\(/ { next }
{
  split($0, cells, "|")
  for (cell = 2; cell <= 3; cell++) {
    text = cells[cell]
    while (match(text, /\[[^]]+\]\([^)#]+\.md[^)]*\)/)) {
      link = substr(text, RSTART + 1, RLENGTH - 2)
      text = substr(text, RSTART + RLENGTH)
      name = link
      sub(/\].*/, "", name)
      page = link
      sub(/^[^(]*\(/, "", page)
      sub(/#.*/, "", page)
      if (!(page in seen)) print cell - 1, page, toupper(substr(name, 1, 1)) substr(name, 2)
      seen[page] = 1
    }
  }
}
