import { bash } from '../../../../../hosts/shell.js';

/**
 * Bash of the notifier that finds out why the virtual IP has moved: it asks the host that had it, or where that is not known
 * those that go before this one. What prints a code and a sentence is `CODE WORDS…`.
 */
export const REASON = bash`# Whether a port is open, closed or silent.
knock() {
  local said
  said=$(timeout "$PATIENCE" bash -c 'exec 3<>"/dev/tcp/$1/$2"' - "$1" "$2" 2>&1) && { echo open; return; }
  case $said in *refused*) echo closed ;; *) echo silent ;; esac
}

answers() {
  local port
  for port in "$API_PORT" 22; do [ "$(knock "$1" "$port")" = silent ] || return 0; done
  ping -c 1 -W "$PATIENCE" "$1" >/dev/null 2>&1
}

# An API server says in clear that it wants TLS; a HAProxy without one hangs up.
leads_to_api() {
  timeout "$PATIENCE" bash -c 'exec 3<>"/dev/tcp/$1/$2" && printf "GET / HTTP/1.0\r\n\r\n" >&3 && read -r said <&3 && [ -n "$said" ]' \
    - "$1" "$PORT" 2>/dev/null
}

# @param what is told of NAME where it answers, in whatever way
unless_gone() {
  if answers "$2"; then echo "$3"
  else echo "host-gone $1 does not answer: it has no power, or the network between is cut"; fi
}

# What is wrong with NAME at ADDRESS; nothing where it answers in every way.
fault_of() {
  case $(knock "$2" "$PORT") in
    closed)
      # A host that goes down ends its programs before its network: only a moment later it shows which of both it was.
      sleep "$PATIENCE"
      unless_gone "$1" "$2" "haproxy-down HAProxy on $1 does not run: its port $PORT is closed"
      ;;
    silent) unless_gone "$1" "$2" "haproxy-silent HAProxy on $1 does not answer at port $PORT, and the host does" ;;
    open) leads_to_api "$2" || echo "no-api-server HAProxy on $1 has no API server that answers" ;;
  esac
}

# @param the former holder, "?" or nothing where it is not known
reason_for() {
  local peer name address priority fault
  for peer in "\${PEERS[@]}"; do
    read -r name address priority <<<"$peer"
    [ "$name" = "$1" ] || continue
    fault=$(fault_of "$name" "$address")
    if [ -n "$fault" ]; then echo "$fault"
    elif [ "$PRIORITY" -gt "$priority" ]; then
      echo "higher-priority $SELF goes before $name (priority $PRIORITY, $name has $priority) and is back"
    else echo "gave-up $name answers, and so does its HAProxy: keepalived there was stopped, gave the address up for a moment, or is not heard"
    fi
    return
  done
  for peer in "\${PEERS[@]}"; do
    read -r name address priority <<<"$peer"
    [ "$priority" -gt "$PRIORITY" ] || continue
    fault=$(fault_of "$name" "$address")
    [ -z "$fault" ] || { echo "$fault"; return; }
  done
  echo "unknown the reason is not known"
}
`;
