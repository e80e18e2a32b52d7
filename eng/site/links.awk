# The targets of a page's links and pictures, one a line: [text](target), without anchors, and without what is in blocks and spans of code.
/^ *```/ { code = !code; next }
code { next }
{
  gsub(/`[^`]*`/, "`code`")
  while (match($0, /\]\([^)# ]+/)) {
    target = substr($0, RSTART + 2, RLENGTH - 2)
    if (target !~ /^[a-z]+:/) print target
    $0 = substr($0, RSTART + RLENGTH)
  }
}
