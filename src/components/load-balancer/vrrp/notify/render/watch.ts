import { bash } from '../../../../../hosts/shell.js';

/** Seconds between two looks at who has the virtual IP. Shorter than keepalived's wait before it takes it back (5 s). */
const LOOK_EVERY = 2;

/** So many changes may be on their way to the channels at once. */
const AT_ONCE = 4;

/**
 * Bash of the notifier that follows the virtual IP. keepalived tells of its own host alone (`INSTANCE "NAME" STATE PRIORITY`),
 * so between its words the neighbour table is looked at: the hardware address that answers for the virtual IP is that of one
 * of the control planes. An entry that nobody has confirmed lately may be of an earlier holder, so it is asked anew.
 *
 * Only keepalived's word makes this host the holder: a look that sees the address first would take the change for old.
 */
export const WATCH = bash`# Lines of the journal, with systemd's levels.
info() { printf '<6>%s\n' "$*"; }
trouble() { printf '<4>%s\n' "$*"; }

main() {
  holder=$(cat "$MEMORY" 2>/dev/null)
  [ -n "$holder" ] || ! holds_vip || remember "$SELF"
  exec 3<>"$EVENTS" || exit 1
  local kind state _
  is_master=
  while :; do
    if read -r -t ${LOOK_EVERY} -u 3 kind _ state _; then
      case $kind:$state in
        INSTANCE:MASTER) is_master=yes; became_holder ;;
        INSTANCE:BACKUP | INSTANCE:FAULT | INSTANCE:STOP) is_master= ;;
      esac
    elif [ $? -le 128 ] || ! [ "$EVENTS" -ef /dev/fd/3 ]; then
      # The pipe is another one now, or none: systemd starts this anew, with a pipe.
      exit 1
    fi
    look
  done
}

holds_vip() { [ -n "$(ip -o -4 address show to "$VIP")" ]; }

remember() {
  [ "$holder" != "$1" ] || return 0
  holder=$1
  printf '%s\n' "$1" >"$MEMORY.new" && mv -f "$MEMORY.new" "$MEMORY"
}

# State and hardware address that the neighbour table has of an address.
neighbour() { ip -4 neighbour show to "$1" | sed -n 's/.* lladdr \([^ ]*\).* \([A-Z]\{4,\}\) *$/\2 \1/p' | head -n 1; }

look() {
  [ -z "$is_master" ] && ! holds_vip || return 0
  local state mac of name address _
  { echo >"/dev/udp/$VIP/9"; } 2>/dev/null
  read -r state mac < <(neighbour "$VIP")
  case $state in
    STALE | DELAY)
      read -r _ _ of _ < <(ip -4 neighbour show to "$VIP")
      ip -4 neighbour change "$VIP" dev "$of" nud probe 2>/dev/null
      sleep 0.2
      read -r state mac < <(neighbour "$VIP")
      ;;
  esac
  [ "$state" = REACHABLE ] || return 0
  for peer in "\${PEERS[@]}"; do
    read -r name address _ <<<"$peer"
    read -r _ of < <(neighbour "$address")
    [ "$of" != "$mac" ] || { remember "$name"; return; }
  done
  # Another card of a control plane's, or another machine.
  remember '?'
}

became_holder() {
  local former=$holder
  remember "$SELF"
  if ! [ -e "$INSTALLED" ]; then
    info "$SELF took $VIP; nobody is told before the first install has ended"
  elif [ "$former" = "$SELF" ]; then
    info "$SELF has $VIP again; nobody else is known to have had it meanwhile"
  elif [ "$(jobs -rp | wc -l)" -ge ${AT_ONCE} ]; then
    trouble "$SELF took $VIP; nobody is told, for ${AT_ONCE} earlier changes are still on their way"
  else
    tell "$former" &
  fi
}
`;
