import { quote } from '../../../hosts/shell.js';
import { CHECK_NAMESPACE } from '../../verify/dns-pods.js';
import { POD_NETWORK_KEY, POD_NETWORK_PORT } from './pods.js';

/** Exit status with which the script says that the API could not be asked. */
export const NOT_ASKED = 75;

/** Beginnings of the lines that it prints: a pod that did not start, one that could not be asked, one that reached not all. */
export const IDLE = 'kubewright-idle:';
export const UNASKED = 'kubewright-unasked:';
export const UNREACHED = 'kubewright-unreached:';
/** A NetworkPolicy of the namespace, and its `podSelector`; where somebody was not reached. */
export const POLICY = 'kubewright-policy:';

/** How long a connection may take to be there, seconds: TCP asks again after one and after three. */
export const CONNECT_SECONDS = 4;
/** How long the whole answer may take. */
export const ANSWER_SECONDS = 8;
/** One pod asks all others side by side; so long it may take to ask it that. */
const EXEC_SECONDS = ANSWER_SECONDS + 17;

/** So many pods are asked at once: each is a kubectl on a control plane. */
const AT_ONCE = 8;

/**
 * Bytes that the asking pod sends besides its question: more than two packets of the largest frames that networks have (9,000 bytes), so
 * that full ones are among them whatever the MTU. A path that is narrower than the pods think lets a connection begin, and then nothing
 * larger through.
 */
const PADDING_BYTES = 20_000;

/** How a pod is not reached, in the words of the script. `large`: a connection is there, and no answer to what is large. */
export const WAYS_TO_FAIL = ['silent', 'refused', 'large', 'broken', 'foreign'] as const;

export type WayToFail = (typeof WAYS_TO_FAIL)[number];

/**
 * Runs in a pod: asks each NODE=ADDRESS, and prints those that were not reached with how; `asked` at last. curl and a shell are in
 * agnhost, for Kubernetes' own tests need them there. A refused connection is tried again, for the
 * server may be about to listen; not one that took its time, as where no neighbour answers.
 */
const IN_POD = `check=$1; shift
padding=$(printf '%0${PADDING_BYTES}d' 0)
for peer; do
  (
    node=\${peer%%=*}; address=\${peer#*=}; try=0
    while :; do
      said=$(curl -q -s -g --noproxy '*' --connect-timeout ${CONNECT_SECONDS} --max-time ${ANSWER_SECONDS} -H "X-Padding: $padding" -w ' %{time_total} %{time_connect}' "http://$address:${POD_NETWORK_PORT}/" 2>/dev/null)
      code=$?
      took=\${said% *}; took=\${took##* }
      [ "$code" = 7 ] && [ "\${took%%.*}" = 0 ] && [ "$try" -lt 5 ] || break
      try=$((try + 1)); sleep 0.3
    done
    connected=no
    case "\${said##* }" in *[1-9]*) connected=yes ;; esac
    case "$code $connected $said" in
      "0 yes $check.$node "*) ;;
      0\\ *) echo "$node foreign" ;;
      28\\ yes\\ *) echo "$node large" ;;
      28\\ *) echo "$node silent" ;;
      7\\ *) echo "$node refused" ;;
      *) echo "$node broken" ;;
    esac
  ) &
done
wait
echo asked`;

/** What the script has to know. */
export interface ReachScript {
  /** `kubectl` as shell words, against the API server of the host that it runs on. */
  kubectl: string;
  /** Names this look, and its pods. */
  check: string;
  /** How many pods there are. */
  pods: number;
  /** How long they may take to be there. */
  patienceSeconds: number;
}

/**
 * What goes to the script's standard input: whom each node's pod asks, a line each, and behind an empty line the pods.
 */
export function reachInput(peers: ReadonlyMap<string, readonly string[]>, manifest: string): string {
  return `${[...peers].map(([node, others]) => [node, ...others].join(' ')).join('\n')}\n\n${manifest}`;
}

/**
 * Makes the pods, has each of them ask its peers by their addresses, and takes the pods away, whatever comes. Only what went wrong is
 * printed: in a large cluster all else would be megabytes. It goes into pods by `exec`, that is through their kubelets: what is looked
 * at does not carry the question. Pods of other looks are left alone unless they have ended.
 */
export function reachScript({ kubectl, check, pods, patienceSeconds }: ReachScript): string {
  const inNamespace = `${kubectl} -n ${CHECK_NAMESPACE}`;
  const ours = `-l ${quote(`${POD_NETWORK_KEY}=${check}`)}`;
  // `--request-timeout` bounds watches and sessions, too.
  const patient = inNamespace.replace(/--request-timeout=\S+/, '--request-timeout=0');
  const each = (fields: string): string => quote(`jsonpath={range .items[*]}${fields}{"\\n"}{end}`);
  const columns = each(
    '{.spec.nodeName}|{.metadata.name}|{.status.conditions[?(@.type=="Ready")].status}|{.status.podIP}|{.status.containerStatuses[*].state.waiting.reason}',
  );
  return `again() {
  local said
  for try in 1 2 3 4 5; do said=$("$@") && { printf '%s\\n' "$said"; return; }; sleep 0.5; done
  exit ${NOT_ASKED}
}
input=$(cat); asks=\${input%%$'\\n\\n'*}; manifest=\${input#*$'\\n\\n'}
remove() { ${inNamespace} delete pods "$@" --grace-period=0 --force --ignore-not-found >/dev/null 2>&1; }
make_pods() { printf '%s' "$manifest" | ${inNamespace} apply -f - >/dev/null; }
list_pods() { ${inNamespace} get pods ${ours} -o ${columns}; }
remove -l ${POD_NETWORK_KEY} --field-selector=status.phase=Failed --wait=false || true
trap 'remove ${ours} --wait=true || remove ${ours} --wait=true' EXIT
again make_pods >/dev/null
deadline=$((SECONDS + ${patienceSeconds}))
until pods=$(again list_pods) || exit; [ "$(grep -c '|True|.' <<<"$pods")" -ge ${pods} ]; do
  [ $SECONDS -lt $deadline ] || break
  ${patient} wait pods ${ours} --for=condition=Ready --timeout=$((deadline - SECONDS + 1))s >/dev/null 2>&1 || sleep 0.5
done
declare -A pod address
while IFS='|' read -r node name ready ip reason; do
  [ -n "$node" ] || continue
  if [ "$ready" = True ] && [ -n "$ip" ]; then pod[$node]=$name; address[$node]=$ip; else echo "${IDLE} $node $reason"; fi
done <<<"$pods"
ask() {
  local node=$1 peers=() peer said; shift
  for peer; do [ -z "\${address[$peer]-}" ] || peers+=("$peer=\${address[$peer]}"); done
  [ \${#peers[@]} -gt 0 ] || return 0
  for try in 1 2; do
    said=$(timeout ${EXEC_SECONDS} ${patient} exec "\${pod[$node]}" -- sh -c ${quote(IN_POD)} ask ${quote(check)} "\${peers[@]}" 2>&1 </dev/null) || true
    case "$said" in
      asked) return ;;
      *$'\\nasked') printf '%s\\n' "\${said%$'\\nasked'}" | sed "s/^/${UNREACHED} $node /"; return ;;
    esac
  done
  printf '%s %.200s\\n' "${UNASKED} $node" "$(tail -n 1 <<<"$said")"
}
ask_all() {
  while read -r node peers; do
    [ -n "\${pod[$node]-}" ] || continue
    while [ "$(jobs -rp | wc -l)" -ge ${AT_ONCE} ]; do wait -n || true; done
    ask "$node" $peers &
  done <<<"$asks"
  wait
}
found=$(ask_all)
[ -n "$found" ] || exit 0
printf '%s\\n' "$found"
list_policies() { ${inNamespace} get networkpolicies -o ${each(`${POLICY} {.metadata.name} {.spec.podSelector}`)}; }
policies=$(again list_policies) || exit
printf %s "$policies"`;
}
