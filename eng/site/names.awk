# The names that documents give types and members of the API, and their pages in the reference, one a line.
#   awk -f names.awk api/toc.yml uids.txt
# Type and Type.Member; names that two have are left out.
FNR == 1 { file++ }
file == 1 && / uid: / { uid = $NF }
file == 1 && / type: / && $NF != "Namespace" { types[uid] = 1; add(last(uid), uid) }
file == 2 {
  name = $1
  sub(/\*$/, "", name)
  owner = name
  sub(/\.[^.]*$/, "", owner)
  if (name !~ /[(#`{]/ && owner in types) add(last(owner) "." last(name), name == $1 ? name : name "%2A")
}
END { for (name in pages) if (!(name in twice)) print name, pages[name] }
function last(text) { sub(/^.*\./, "", text); return text }
function add(name, page) {
  if (name in pages && pages[name] != page && pages[name] "%2A" != page) twice[name] = 1
  pages[name] = page
}
