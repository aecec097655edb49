#!/usr/bin/awk -f
# The table of mutants, of what ci/mutate says about the oracle, and of its rows:
# mutant, its rule, its bug, engine, seed, rule, tries, seconds, ops. -v some=1: not of all mutants.
# Exit status 1: a mutant lives, or breaks another rule, or is not equivalent.

# The n-th smallest of the numbers in a list.
function nth(list, n, numbers, count, i, j, x) {
  count = split(list, numbers, " ")
  for (i = 2; i <= count; ++i) {
    x = numbers[i] + 0
    for (j = i - 1; j > 0 && numbers[j] + 0 > x; --j) numbers[j + 1] = numbers[j]
    numbers[j + 1] = x
  }
  return numbers[n]
}
function count_of(list, parts) { return split(list, parts, " ") }
function median(list) { return list == "" ? "-" : nth(list, int((count_of(list) + 1) / 2)) }
function worst(list) { return list == "" ? "-" : nth(list, count_of(list)) }

function span(list) { return sprintf("%.2f / %.2f", median(list), worst(list)) }

# Median and worst of the seconds, how many seeds found nothing, and how many of those that did
# ended in a crash.
function times(name, engine, text) {
  if (!runs[name, engine]) return "-"
  text = seconds[name, engine] == "" ? "never" : span(seconds[name, engine])
  if (missed[name, engine] && seconds[name, engine] != "")
    text = text ", " missed[name, engine] " never"
  if (crashed[name, engine]) text = text ", " crashed[name, engine] " crashed"
  return text
}

function transfer(n) {
  otherwise_there += tries[n, "transfer"]
  only_there += only_at_nine[n]
  only_here += steps[n, "transfer"]
  if (tries[n, "transfer"] + only_at_nine[n] + steps[n, "transfer"] == 0) return
  ++moved
  orders = orders " " n " (" tries[n, "transfer"] "/" only_at_nine[n] "/" steps[n, "transfer"] ")"
}

BEGIN { FS = "\t" }
FNR == NR {
  rules[++rule_count] = $1
  next
}
$4 == "equal" {
  same[++same_count] = "`" $1 "` (" $7 " transitions)"
  if ($6 != "equal") differs = differs " " $1
  next
}
!($1 in rule_of) { order[++count] = $1; rule_of[$1] = $2; bug[$1] = $3 }
{
  ++runs[$1, $4]
  by[$1, $4] = $6
  tries[$1, $4] = $7
  steps[$1, $4] = $9
  if ($4 == "transfer") only_at_nine[$1] = $8
  if ($6 == "-") {
    ++missed[$1, $4]
  } else {
    if ($4 == "empty") executions[$1] = executions[$1] " " $7
    if ($4 == "empty") runs_until_death = runs_until_death " " $7
    if ($4 != "others") killed[$1] = killed[$1] " " $4
    if ($6 == "crash") ++crashed[$1, $4]
    seconds[$1, $4] = seconds[$1, $4] " " $8
    if ($4 == "empty" || $4 == "rapidcheck" || $4 == "explorer") every[$4] = every[$4] " " $8
  }
}

END {
  print "# Mutants: how much would it catch?\n"
  print "Written by `ci/mutate --write`. One mistake each, some of them made by Linux once: who"
  print "notices it, and how soon? To mute a rule is to leave it out, to see whether another"
  print "notices. *Alone*: with its rule muted, no other notices anything in its own trace, nor"
  print "in the explorer's scopes up to the one that killed it (three at least, and three if"
  print "that was the last of five, or none did). *Ops*: of its own trace. Seconds are median"
  print "and worst over seeds, while other mutants are hunted on the other cores: libFuzzer from"
  print "an empty corpus (and its executions, in the median), libFuzzer from seeds and"
  print "regressions, RapidCheck. A seed *crashed* where the broken state ended the generator"
  print "before the judge saw it: a finding too. *Corpus*: how many of those traces turn red.\n"
  print "Kept are the mistakes that Linux made, those that libFuzzer or RapidCheck needs more"
  print "than 5 s for, and for each rule that none of these breaks the one with the shortest"
  print "trace (and `canary`). `ci/sweep` makes all other small ones mechanically. A new one"
  print "earns its place by one of the three reasons.\n"
  print "| mutant | Linux | killed by | alone | ops | explorer: transitions, s " \
    "| libFuzzer: executions, s | seeded, s | RapidCheck, s | corpus |"
  print "|---|---|---|---|---|---|---|---|---|---|"
  for (i = 1; i <= count; ++i) {
    n = order[i]
    others = !runs[n, "others"] ? "" : by[n, "others"] == "-" ? "yes" : "no"
    if (others == "yes") alone[rule_of[n]] = 1
    spoke[rule_of[n]] = 1
    lengths = lengths " " steps[n, "own"]
    explored = by[n, "explorer"] == "-" ? "never" : \
      tries[n, "explorer"] ", " sprintf("%.2f", worst(seconds[n, "explorer"]))
    fuzzed = (executions[n] == "" ? "" : median(executions[n]) ", ") times(n, "empty")
    printf "| `%s` | %s | `%s` | %s | %d | %s | %s | %s | %s | %d |\n", n, bug[n], rule_of[n],
      others, steps[n, "own"], explored, fuzzed, times(n, "seeded"), times(n, "rapidcheck"),
      tries[n, "corpus"]
    if (killed[n] == "") lives = lives " " n
    transfer(n)
    if (by[n, "own"] != rule_of[n]) otherwise = otherwise " " n "(" by[n, "own"] ")"
  }
  printf "\n%d mutants, %d of them live. Their own traces: %s ops in the median, %s at most.\n",
    count, count_of(lives), median(lengths), worst(lengths)
  print "Seconds to a kill, median and worst of all runs that killed: explorer",
    span(every["explorer"]) "; libFuzzer", span(every["empty"]) "; RapidCheck",
    span(every["rapidcheck"]) "."
  print "Executions of libFuzzer to a kill, median and worst:", median(runs_until_death), "/",
    worst(runs_until_death) "."
  if (same_count) print "\nEquivalent, in every scope, answer by answer and state by state:"
  for (i = 1; i <= same_count; ++i) print "* " same[i]
  for (i = 1; i <= rule_count; ++i) {
    s = rules[i]
    if (!(s in spoke)) none = none " " s
    else if (!(s in alone)) never = never " " s
  }
  if (!some)
    print "\nRules without a mutant:" (none == "" ? " (each has one)" : none)
  print "\nRules without a mutant that no other rule notices:" \
    (never == "" ? " (each has one)" : never)
  print "\nSmall scopes: with", count - moved, "mutants each trace of the corpus breaks at order" \
    " 9 what it breaks at its own. With the others so many break another rule there, so many" \
    " break one only there (their mistake needs more pages, or slots, than the trace has), and so" \
    " many only at their own order:" (orders == "" ? " (none)" : orders)
  print "\nTogether:", otherwise_there, "/", only_there, "/", only_here "."
  if (lives != "") print "\nLIVES:" lives
  if (otherwise != "") print "\nITS OWN TRACE BREAKS ANOTHER RULE, OR NONE:" otherwise
  if (differs != "") print "\nNOT EQUIVALENT:" differs
  exit lives != "" || otherwise != "" || differs != ""
}
