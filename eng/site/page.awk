# A page for the site: names of the API in spans of code (`Trainer`, `Trainer.Fit`, `new Trainer(…)`) become links to the reference.
#   awk -f page.awk names.txt page.md
# names.txt has a name and its page in the reference a line. Headings, blocks of code and texts of links stay as they are.
FNR == NR { uids[$1] = $2; next }
/^ *```/ { code = !code }
code || /^ *```/ || /^#/ { print; next }
{
  line = $0
  done = ""
  while (match(line, /`[^`]+`/)) {
    before = substr(line, 1, RSTART - 1)
    span = substr(line, RSTART, RLENGTH)
    line = substr(line, RSTART + RLENGTH)
    name = substr(span, 2, length(span) - 2)
    sub(/^new /, "", name)
    sub(/\(.*/, "", name)
    done = done before ((name in uids) && !linked(done before) ? "[" span "](xref:" uids[name] ")" : span)
  }
  print done line
}
# Whether a bracket is open: what follows is a link's text.
function linked(text,    opened, closed) {
  opened = gsub(/\[/, "[", text)
  closed = gsub(/\]/, "]", text)
  return opened > closed
}
