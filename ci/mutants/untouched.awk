#!/usr/bin/awk -f
# Of what `edit.py list places` prints and then of the model's sources: the functions of the kernel,
# as the comments above ours cite them, that no mutant changes.

NR == FNR {
  for (i = 2; i <= NF; ++i) places[++place_count] = $i
  next
}

# A comment that cites a function speaks for all lines up to the next.
/^\/\/ v6\.1 .*\(\)/ && FNR > 9 {
  name = $0
  sub(/^\/\/ v6\.1 /, "", name)
  sub(/\(\).*/, "()", name)
  lines[FILENAME] = lines[FILENAME] " " FNR
  cited[++count] = FILENAME ": " name
  number[FILENAME, FNR] = count
}

END {
  for (i = 1; i <= place_count; ++i) {
    split(places[i], at, ":")
    n = split(lines[at[1]], starts, " ")
    for (j = n; j > 0 && starts[j] + 0 > at[2] + 0; --j) {}
    if (j) changed[number[at[1], starts[j]]] = 1
  }
  for (i = 1; i <= count; ++i) if (!(i in changed)) print cited[i]
}
