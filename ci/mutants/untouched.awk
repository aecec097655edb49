#!/usr/bin/awk -f
# Of the model's sources and then of patches of them: the functions of the kernel, as the comments
# above ours cite them, that no patch changes.

FNR == 1 { file = FILENAME; at = 0 }

# A comment that cites a function speaks for all lines up to the next.
file ~ /\.cc$/ {
  if ($0 ~ /^\/\/ v6\.1 .*\(\)/ && FNR > 9) {
    name = $0
    sub(/^\/\/ v6\.1 /, "", name)
    sub(/\(\).*/, "()", name)
    lines[file] = lines[file] " " FNR
    cited[file, FNR] = name
    place[++count] = file SUBSEP FNR
  }
  next
}

$1 == "---" { next }
$1 == "+++" { of = substr($2, 3); next }
$1 == "@@" {
  split($2, old, /[-,]/)
  at = old[2]
  next
}
at && /^[-+]/ {
  n = split(lines[of], starts, " ")
  last = 0
  for (i = 1; i <= n; ++i) if (starts[i] + 0 <= at) last = starts[i]
  changed[of, last] = 1
}
at && /^[- ]/ { ++at }

END {
  for (i = 1; i <= count; ++i) {
    split(place[i], where, SUBSEP)
    if (!((where[1], where[2]) in changed))
      print where[1] ": " cited[where[1], where[2]]
  }
}
