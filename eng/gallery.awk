# The pictures of a page, and the commands above them, a line each: picture, tab, command. Commands are lines that begin with RUN; pictures take them in turn, and the last again where there are fewer.
# Training makes no picture of the page: its lines have - for one.
/^RUN train / { print "-\t" substr($0, 5); next }
/^RUN / { commands[last++] = substr($0, 5) }
/^!\[/ {
  if (next_ < last) next_++
  picture = $0
  sub(/^[^(]*\(/, "", picture)
  sub(/\).*/, "", picture)
  print picture "\t" (next_ ? commands[next_ - 1] : "")
}
