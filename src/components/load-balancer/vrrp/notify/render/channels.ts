import { bash } from '../../../../../hosts/shell.js';

/** So often a channel is tried, each time after twice the wait; the first one is in seconds. */
const TRIES = 5;
const FIRST_WAIT = 5;

/** Seconds that a mail program or a command may take. curl's own limits are in its files. */
const PROGRAM_SECONDS = 60;

/**
 * Bash of the notifier that tells one change on each channel. A try that fails is made again; the change keeps its id, so whoever
 * hears of it twice (an answer that was lost) can tell. Every value in the JSON is a name, an address or words of this program,
 * without quotes or backslashes.
 */
export const CHANNELS = bash`# @param the former holder, "?" or nothing where it is not known
tell() {
  local at id code words text json previous=null channel
  at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  id=$CLUSTER-$SELF-$(date +%s%N)
  read -r code words < <(reason_for "$1")
  previous=$(named "$1")
  text="$VIP of the cluster $CLUSTER is on $SELF now"
  [ "$previous" = null ] || text+=", before on $1"
  text+=": $words"
  json=$(printf '{"text":"%s","id":"%s","cluster":"%s","vip":"%s","port":%s,"holder":{"name":"%s","address":"%s"},"previous":%s,"reason":{"code":"%s","text":"%s"},"time":"%s"}' \
    "$text" "$id" "$CLUSTER" "$VIP" "$PORT" "$SELF" "$ADDRESS" "$previous" "$code" "$words" "$at")
  info "$text ($id)"
  for channel in "\${CHANNELS[@]}"; do deliver "$channel" & done
  wait
}

# A control plane as JSON; null where it is none.
named() {
  local peer name address _
  for peer in "\${PEERS[@]}"; do
    read -r name address _ <<<"$peer"
    [ "$name" != "$1" ] || { printf '{"name":"%s","address":"%s"}' "$name" "$address"; return; }
  done
  echo null
}

deliver() {
  local try said pause=${FIRST_WAIT}
  for ((try = 1; try <= ${TRIES}; try++)); do
    if said=$("by_$1" 2>&1); then
      info "told by $1: $id"
      return
    fi
    said=\${said//$'\n'/ }
    [ "$try" -lt ${TRIES} ] || break
    info "$1 failed, next try in $pause s: \${said:0:300}"
    sleep "$pause"
    pause=$((pause * 2))
  done
  trouble "$1 failed ${TRIES} times and is given up for $id: \${said:0:300}"
}

by_webhook() { curl --disable --config "$WEBHOOK" --data-binary @- <<<"$json"; }
by_smtp() { message | curl --disable --config "$MAIL" --upload-file -; }
by_sendmail() { message | timeout ${PROGRAM_SECONDS} sendmail -i -t; }
by_command() { timeout ${PROGRAM_SECONDS} "\${COMMAND[@]}" <<<"$json"; }

message() {
  printf '%s\n' "From: $MAIL_FROM" "To: $MAIL_TO" "Subject: [$CLUSTER] $VIP is on $SELF now" "Date: $(date -R)" \
    "Message-ID: <$id@$SELF>" 'Auto-Submitted: auto-generated' 'Content-Type: text/plain; charset=us-ascii' '' \
    "$text" '' "Time: $at" "Id:   $id"
}
`;
