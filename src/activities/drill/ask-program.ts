import type { Cluster } from '../../cluster/types.js';
import { apiAddressOf } from '../../components/registry/plan.js';
import { assign, bash } from '../../hosts/shell.js';
import { endpointOf } from '../../render/kubeadm.js';
import { CA_CERTIFICATE, verifyWord } from '../kubeadm/node/api-get.js';
import { ASKING_UNIT, BOOK } from './book.js';
import { CONFIG_MAP } from './objects.js';

/** Milliseconds between two questions of a kind. */
const EVERY_MS = 100;

/** A question is given up after so many seconds. */
const GIVEN_UP_SECONDS = 2;

/** More than can be under way at once. */
const CHANGES = 32;

/**
 * Bash that asks the API at its endpoint ten times a second: each question on a new connection, as a client does that had none, and
 * none waits for another, so one that hangs does not hide those behind it. By openssl, which every node has where it may lack curl and,
 * if it is a worker, kubectl. The token and the requests with it are files in the book: it is in no argument.
 *
 * A question is two processes and no more: thirty a second are work for a small host, and what it is busy with would be measured.
 *
 * Each round begins with another kind: where three servers take turns, each of three kinds would meet one and the same. Time is kept by
 * the clock and not by pauses, so that a slow round does not make the next ones late. It ends when its book is gone: whoever has begun it
 * may not be there any more.
 */
const PROGRAM = bash`cd "$dir" || exit 1
umask 077
token=$(<token)
if [ -n "\${EPOCHREALTIME-}" ]; then now() { t=\${EPOCHREALTIME/[.,]/}; t=\${t%???}; }
else now() { t=$(date +%s%3N); }; fi
# request METHOD PATH [BODY]
request() {
  printf '%s %s HTTP/1.0\r\nHost: %s\r\nAuthorization: Bearer %s\r\n' "$1" "$2" "$endpoint" "$token"
  [ -z "\${3-}" ] || printf 'Content-Type: application/merge-patch+json\r\nContent-Length: %s\r\n' "\${#3}"
  printf '\r\n%s' "\${3-}"
}
# ask KIND FILE
ask() {
  local began said= answer
  now; began=$t
  exec {answer}< <(exec openssl s_client -quiet -verify_quiet -connect "$endpoint" -CAfile "$authority" \
    -verify_return_error $verify 2>/dev/null <"$2")
  read -r -t ${GIVEN_UP_SECONDS} -N 12 -u "$answer" said
  now
  kill "$!" 2>/dev/null
  case $said in 'HTTP/1.'?' 200') echo "$1 $began $t 1" ;; *) echo "$1 $began $t 0" ;; esac >>samples
}
mkdir -p requests
request GET /version >requests/version
request GET "$object" >requests/read
exec {never}<> <(:)
now
next=$t round=0
while [ -e samples ]; do
  # As many files as there can be changes at once: each has another text, or nothing would be written.
  change=requests/write-$((round % ${CHANGES}))
  request PATCH "$object" "{\"data\":{\"asked\":\"$t\"}}" >"$change"
  for kind in $order; do
    case $kind in write) ask write "$change" & ;; *) ask "$kind" "requests/$kind" & ;; esac
  done
  order="\${order#* } \${order%% *}" round=$((round + 1))
  next=$((next + ${EVERY_MS}))
  now
  if [ "$t" -lt "$next" ]; then
    printf -v wait '%d.%03d' $(((next - t) / 1000)) $(((next - t) % 1000))
    read -r -t "$wait" -u "$never"
  # Far behind, as after a sleep of the whole machine: what is past is not asked any more.
  elif [ $((t - next)) -gt 1000 ]; then next=$t
  fi
done
exit 0
`;

/** The program, with what it asks and where. */
export function askProgram(cluster: Cluster): string {
  const values = {
    dir: BOOK,
    endpoint: endpointOf(cluster),
    authority: CA_CERTIFICATE,
    object: `/api/v1/namespaces/kube-system/configmaps/${CONFIG_MAP}`,
    order: 'version read write',
  };
  // Two words, and none of them from a person's file but an address or a name that was checked.
  return `${assign(values)}verify=${quoted(verifyWord(apiAddressOf(cluster)))}\n${PROGRAM}`;
}

const quoted = (words: string): string => `'${words.replaceAll("'", '')}'`;

export interface Asking {
  program: string;
  /** Name of the book. */
  name: string;
  /** What is written down of the choice. */
  choice: string;
  /** Seconds after which it ends by itself, whoever has died. */
  limitSeconds: number;
}

/**
 * Bash for the host that asks: takes the token from standard input, makes the book anew, and starts the unit. Nothing of the unit is worth
 * waiting for when it is stopped: where systemd does not hear that the last question is gone, it would wait for a minute and a half.
 */
export function startAsking({ program, name, choice, limitSeconds }: Asking): string {
  return `${assign({ name, choice, program })}set -e
umask 077
systemctl stop ${ASKING_UNIT}.service 2>/dev/null || true
rm -rf ${BOOK}
mkdir -p ${BOOK}
cd ${BOOK}
cat >token
[ -s token ] || { echo 'no token came' >&2; exit 1; }
printf %s "$program" >ask.sh
printf %s "$choice" >choice
: >samples
: >marks
date +%s%3N >begun
printf %s "$name" >name
systemd-run --quiet --collect --unit=${ASKING_UNIT} --description='Kubewright: asks the API during a drill' \\
  --property=RuntimeMaxSec=${limitSeconds} --property=TimeoutStopSec=2 --property='ExecStopPost=/bin/rm -rf ${BOOK}/token ${BOOK}/requests' /bin/bash ${BOOK}/ask.sh
`;
}

/** Bash that ends it, and leaves nothing. */
export const STOP_ASKING = `systemctl stop ${ASKING_UNIT}.service 2>/dev/null
systemctl reset-failed ${ASKING_UNIT}.service 2>/dev/null
rm -rf ${BOOK}
exit 0
`;
