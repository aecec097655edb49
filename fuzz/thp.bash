# Completion for bash: source fuzz/thp.bash. Commands and options are what `thp words` says; all
# else is a file.
# shellcheck shell=bash disable=SC2034,SC2207
_thp() { # COMMAND WORD
  local words
  words=$("$1" words 2>/dev/null) || return
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "$(cut -d ' ' -f 1 <<<"$words")" -- "$2"))
  elif [[ $2 == -* ]]; then
    COMPREPLY=($(compgen -W "$(sed -n "s/^${COMP_WORDS[1]} //p" <<<"$words")" -- "$2"))
  fi
}
complete -o default -F _thp thp
