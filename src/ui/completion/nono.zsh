#compdef nono
# Completions of nono for zsh. As _nono in a directory of $fpath, or in ~/.zshrc after compinit:  eval "$(nono completion zsh)"
_nono() {
  local -a lines described
  local mode line
  integer at
  lines=("${(@f)$(command ${(Q)words[1]/#\~\//$HOME/} __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  mode=$lines[1]
  shift lines
  if [[ $mode == ":command "* ]]; then
    at=$((${mode#:command } + 1))
    shift $at words
    (( CURRENT -= at ))
    _normal
    return
  fi
  for line in "${(@)lines}"; do
    [[ -n $line ]] && described+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done
  (( $#described )) && _describe -t nono 'nono' described
  [[ $mode == (:files|:directories) && $PREFIX == --*=* ]] && compset -P '*='
  case $mode in
    (:files) _files ;;
    (:directories) _files -/ ;;
  esac
}
if [[ ${funcstack[1]} == _nono ]]; then
  _nono "$@"
else
  compdef _nono nono
fi
