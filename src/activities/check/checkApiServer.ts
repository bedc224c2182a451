import { kubectl } from '../kubeadm/control-plane.js';
import { gatherFacts } from '../remote-facts.js';
import { lookOnly } from './look-only.js';

const HINT =
  '`crictl ps -a` and `journalctl -u kubelet` on that host say why its API server does not run. The others serve meanwhile.';

/** Asks one API server by its own address whether it is ready: behind the endpoint another one answers in its place. */
export const checkApiServer = lookOnly(async (context) => {
  const { name } = context.host;
  const host = context.cluster.hosts.find((each) => each.name === name);
  if (host === undefined) throw new Error(`no host ${name}`);
  const facts = await gatherFacts(context.host, script(kubectl(context.cluster, host)), context.signal);
  const ready = facts.answer('ready', 'it says no');
  if (ready.is === 'yes' && ready.value === 'ok') return { findings: [], found: `the API server of ${name} is ready` };
  const why = ready.is === 'unknown' ? ready.why : ready.is === 'yes' ? ready.value : ready.evidence;
  const evidence = `the API server of ${name} does not say that it is ready: ${failing(why) || lastLine(why)}`;
  return { findings: [{ code: 'KW601', host: name, evidence, hint: HINT }], found: '' };
});

/**
 * Of an API server that is not ready, what is told are the checks that fail: its answer names some forty that do not, too. kubectl
 * quotes that answer, so it comes as one line: `("[+]ping ok\n[-]etcd failed: …") has prevented the request from succeeding`.
 */
function script(kubectl: string): string {
  return `ready() {
  local kw_said
  kw_said=$(${kubectl} get --raw '/readyz?verbose' 2>&1) && { echo ok; return; }
  kw_said=$(sed 's/\\\\n/\\n/g' <<<"$kw_said")
  grep -F '[-]' <<<"$kw_said" >&2 || printf '%s\\n' "$kw_said" >&2
  return 1
}
ask ready ready`;
}

/** "etcd failed: reason withheld", for each check that the answer marks as failed; empty where it marks none. */
function failing(answer: string): string {
  return [...answer.matchAll(/\[-\](.*)/g)].map(([, check = '']) => check.trim()).join(', ');
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
