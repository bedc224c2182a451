import type { CommandModel, ValueModel } from './model.js';

/**
 * Completion for bash: a function that looks words up in `case` tables. It needs neither the package bash-completion nor a bash
 * newer than macOS has (3.2), and starts no program.
 */
export function bashCompletion(commands: CommandModel[], program: string): string {
  return `# Completion of ${program} for bash. In ~/.bashrc: eval "$(${program} completion bash)"
# What is below each command, and its options.
_${program}_words() {
  case $1 in
${commands.map((command) => `    '${command.path}') commands='${namesOf(command)}' options='${flagsOf(command)}' arguments='${command.arguments.map(wordOf).join(' ')}' ;;`).join('\n')}
    *) return 1 ;;
  esac
}

# What the value of an option is: nothing for an option without one.
_${program}_value() {
  case "$1 $2" in
${valueLines(commands).join('\n')}
    *) value='' ;;
  esac
}

_${program}() {
  local path=${program} commands options arguments value previous='' given=0 at word current
  # Bash makes words of their own of "=" and ":" (COMP_WORDBREAKS); here "--option=value" is one, as the program sees it.
  local words=() last=''
  for ((at = 0; at <= COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    case $word in
      = | :) [ \${#words[@]} -eq 0 ] || { words[\${#words[@]} - 1]+=$word; last=$word; continue; } ;;
    esac
    if [ -n "$last" ]; then words[\${#words[@]} - 1]+=$word
    else words+=("$word"); fi
    last=''
  done
  current=\${words[\${#words[@]} - 1]}
  # Bash puts what is offered behind the last "=" or ":", where that begins a word of its own.
  local behind=''
  case \${COMP_WORDBREAKS-} in *:*) case $current in *:*) behind=\${current%"\${current##*:}"} ;; esac ;; esac
  case \${COMP_WORDBREAKS-} in
    *=*) case \${current#"$behind"} in *=*) behind=\${current%"\${current##*=}"} ;; esac ;;
  esac
  for ((at = 1; at < \${#words[@]} - 1; at++)); do
    word=\${words[at]}
    if [ -n "$previous" ]; then previous=''; continue; fi
    case $word in
      --*=*) ;;
      -?*) _${program}_value "$path" "$word"; [ -z "$value" ] || previous=$word ;;
      *) if _${program}_words "$path $word"; then path="$path $word"; else given=$((given + 1)); fi ;;
    esac
  done
  _${program}_words "$path"
  COMPREPLY=()
  if [ -z "$previous" ]; then
    case $current in
      --*=*) previous=\${current%%=*} behind=\${behind#"\${current%%=*}="} current=\${current#*=} ;;
    esac
  fi
  if [ -n "$previous" ]; then
    _${program}_value "$path" "$previous"
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
    return
  elif [ -n "$commands" ] && [ "$given" = 0 ]; then
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
    [ \${#COMPREPLY[@]} -eq 0 ] || return
    set -- $arguments
    value=\${1:-}
  else
    set -- $arguments
    shift $((given < $# ? given : ($# > 0 ? $# - 1 : 0)))
    value=\${1:-}
  fi
  case $value in
    file) compopt -o filenames 2>/dev/null; while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current") ;;
    directory) compopt -o filenames 2>/dev/null; while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -d -- "$current") ;;
    other | '') ;;
    *) COMPREPLY=($(compgen -W "\${value//,/ }" -- "$current")) ;;
  esac
  [ -z "$behind" ] || for ((at = 0; at < \${#COMPREPLY[@]}; at++)); do COMPREPLY[at]=\${COMPREPLY[at]#"$behind"}; done
}

complete -F _${program} ${program}
`;
}

function namesOf({ commands }: CommandModel): string {
  return commands.map(({ name }) => name).join(' ');
}

function flagsOf({ options }: CommandModel): string {
  return options.flatMap(({ flags }) => flags).join(' ');
}

/** One word for a table: what kind of value, or the choices. */
function wordOf({ kind, choices }: ValueModel): string {
  return choices.length > 0 ? choices.join(',') : kind;
}

function valueLines(commands: CommandModel[]): string[] {
  return commands.flatMap(({ path, options }) =>
    options.flatMap(({ flags, value }) => {
      if (value === undefined) return [];
      return [`    ${flags.map((flag) => `'${path} ${flag}'`).join(' | ')}) value='${wordOf(value)}' ;;`];
    }),
  );
}
