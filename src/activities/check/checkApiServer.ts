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
  const facts = await gatherFacts(
    context.host,
    `ask ready ${kubectl(context.cluster, host)} get --raw /readyz`,
    context.signal,
  );
  const ready = facts.answer('ready', 'it says no');
  if (ready.is === 'yes' && ready.value === 'ok') return { findings: [], found: `the API server of ${name} is ready` };
  const why = ready.is === 'unknown' ? ready.why : ready.is === 'yes' ? ready.value : ready.evidence;
  const evidence = `the API server of ${name} does not say that it is ready: ${lastLine(why)}`;
  return { findings: [{ code: 'KW601', host: name, evidence, hint: HINT }], found: '' };
});

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
