# Completions of nono for bash 3.2 and later. In ~/.bashrc:  eval "$(nono completion bash)"
_nono() {
  local program=${COMP_WORDS[0]/#\~\//$HOME/} current='' mode='' line='' at count=0
  local -a words
  COMPREPLY=()
  # Bash takes "--option=value" apart into three words: nono gets one.
  for ((at = 1; at <= COMP_CWORD; at++)); do
    if ((count > 0)) && { [[ ${COMP_WORDS[at]} == "=" ]] || [[ ${COMP_WORDS[at - 1]} == "=" ]]; }; then
      words[count - 1]+=${COMP_WORDS[at]}
    else
      words[count++]=${COMP_WORDS[at]}
    fi
  done
  current=${words[count - 1]-}
  while IFS= read -r line; do
    if [[ -z $mode ]]; then
      mode=$line
      continue
    fi
    line=${line%%$'\t'*}
    # What stands before "=" is not replaced.
    [[ $current == --*=* ]] && line=${line#*=}
    COMPREPLY+=("$line")
  done <<<"$(command "$program" __complete "${words[@]}" 2>/dev/null)"
  [[ $current == --*=* ]] && current=${current#*=}
  case $mode in
    ":command "*)
      at=$((${mode#:command } + 1))
      if declare -F _command_offset >/dev/null; then
        _command_offset "$at"
      elif ((at == COMP_CWORD)); then
        while IFS= read -r line; do [[ -n $line ]] && COMPREPLY+=("$line"); done <<<"$(compgen -c -- "$current")"
      fi
      ;;
    :directories)
      while IFS= read -r line; do [[ -n $line ]] && COMPREPLY+=("$line"); done <<<"$(compgen -d -- "$current")"
      compopt -o filenames 2>/dev/null
      ;;
    :files)
      if ((${#COMPREPLY[@]} > 0)); then
        while IFS= read -r line; do [[ -n $line ]] && COMPREPLY+=("$line"); done <<<"$(compgen -f -- "$current")"
        compopt -o filenames 2>/dev/null
      fi
      ;;
    *) compopt +o default 2>/dev/null ;;
  esac
  return 0
}
complete -o default -F _nono nono
