import { afterEach, describe, expect, test, vi } from 'vitest';
import { initControlPlane } from '../../../src/activities/kubeadm/initControlPlane.js';
import { joinControlPlane } from '../../../src/activities/kubeadm/joinControlPlane.js';
import { joinWorker } from '../../../src/activities/kubeadm/joinWorker.js';
import type { StepImplementation } from '../../../src/activities/types.js';
import type { Cluster } from '../../../src/cluster/types.js';
import { startEtcdMember } from '../../../src/components/etcd/static-pods/steps/startEtcdMember.js';
import type { Action } from '../../../src/plan/types.js';
import { clusterOf } from '../cluster-fixture.js';
import { BashHosts, type LineFault } from './bash-hosts.js';
import { CA } from './kubeadm/fixtures.js';

/**
 * "I could not ask" is never "no". A cluster lives, one host of it has a fault, and its step is carried out. One query at a
 * time goes wrong, in every way in which a query can: whatever it is, nothing that lives may be touched.
 */

const PROGRAM_FAULTS = {
  'it fails': 'echo "Error from server: etcdserver: leader changed" >&2; exit 1',
  'it is killed by its time limit': 'exit 124',
  'it prints nothing': 'exit 0',
  'it prints half': 'out=$(answer "$@"); head -c $(($(wc -c <<<"$out") / 2)) <<<"$out"; exit 0',
  'it prints all but the last line': 'answer "$@" | head -n -1; exit 0',
  'it prints garbage': 'echo "<html>502 Bad Gateway</html>"; exit 0',
  'it is not there': 'echo "bash: $0: No such file or directory" >&2; exit 127',
} as const;
type ProgramFault = keyof typeof PROGRAM_FAULTS;

const LINE_FAULTS: LineFault[] = [
  'it fails',
  'it times out',
  'nothing comes back',
  'half of it comes back',
  'garbage comes back',
];

/** What takes something that lives away, as the programs see it. To write a member's own manifest again is none of it. */
const DESTRUCTIVE =
  /kubeadm (reset|join|init(?! phase etcd local))|member (remove|add|promote)|kubectl.* delete (node|--raw)|(systemctl|crictl) .*stop/;

/** Half of what a program may do wrong is the same for each scene: it is tried in two of them, what differs in all. */
const IN_EVERY_SCENE: readonly ProgramFault[] = ['it fails', 'it prints nothing', 'it prints all but the last line'];

interface Scene {
  /** Whether every fault of a program is tried; default: those of every scene. */
  thorough?: boolean;
  cluster: Cluster;
  step: StepImplementation;
  action: Action;
  host: string;
}

const stacked = clusterOf({ controlPlanes: 3, workers: 1 });
const external = clusterOf({ controlPlanes: 1, workers: 1, etcd: 3 });

const SCENES: Record<string, Scene> = {
  'a worker whose kubelet was stopped': {
    thorough: true,
    cluster: stacked,
    step: joinWorker,
    action: 'joinWorker',
    host: 'w-1',
  },
  'a control plane whose components are down': {
    thorough: true,
    cluster: stacked,
    step: joinControlPlane,
    action: 'joinControlPlane',
    host: 'cp-2',
  },
  'the control plane on which the cluster began': {
    cluster: stacked,
    step: initControlPlane,
    action: 'initControlPlane',
    host: 'cp-1',
  },
  'a control plane beside external etcd': {
    cluster: clusterOf({ controlPlanes: 2, workers: 0, etcd: 3 }),
    step: joinControlPlane,
    action: 'joinControlPlane',
    host: 'cp-2',
  },
  'an external etcd member whose kubelet was stopped': {
    cluster: external,
    step: startEtcdMember,
    action: 'startEtcdMember',
    host: 'etcd-3',
  },
};

// Each case runs some dozens of scripts in a real bash.
vi.setConfig({ testTimeout: 300_000 });

let hosts: BashHosts;
afterEach(() => hosts?.remove());

describe.each(Object.entries(SCENES))('%s is left alone', (_name, scene) => {
  test('when all queries are answered: this is what the other cases are compared with', async () => {
    await living(scene);
    await carryOut(scene);
    expect(touched(scene)).toEqual([]);
    // The scene is one in which the step asks, and would act if it were told no.
    expect(hosts.trips).toBeGreaterThan(3);
    expect(calls()).toBeGreaterThan(1);
  });

  test.each(LINE_FAULTS)('when a round trip goes wrong: %s', async (kind) => {
    await living(scene);
    await carryOut(scene);
    const trips = hosts.trips;
    for (let trip = 1; trip <= trips; trip++) {
      hosts.remove();
      await living(scene);
      hosts.fault = { trip, kind };
      await carryOut(scene);
      expect(touched(scene), `round trip ${trip} of ${trips}`).toEqual([]);
    }
  });

  const faults = (Object.keys(PROGRAM_FAULTS) as ProgramFault[]).filter(
    (fault) => scene.thorough || IN_EVERY_SCENE.includes(fault),
  );
  test.each(faults)('when a program goes wrong: %s', async (kind) => {
    await living(scene);
    await carryOut(scene);
    const count = calls();
    // One call alone, and all calls from one on: an election is short, a full disk is not.
    for (const lasting of kind === 'it fails' ? [false, true] : [false]) {
      for (let call = 1; call <= count; call += lasting ? 3 : 1) {
        hosts.remove();
        await living(scene, { call, lasting, kind });
        await carryOut(scene);
        expect(touched(scene), `call ${call} of ${count}${lasting ? ' and all after it' : ''}`).toEqual([]);
      }
    }
  });
});

async function carryOut({ step, action, host }: Scene): Promise<void> {
  const abort = new AbortController();
  const context = hosts.context(action, host, abort.signal, () => abort.abort(new Error('it waits')));
  const found = await step.probe(context).catch(() => ({ done: false, found: '', changes: [] }));
  if (!found.done) await step.apply(context, found).catch(() => undefined);
  await hosts.idle();
}

/** What was done to something that lives: commands that were called, and files that are gone. */
function touched({ cluster }: Scene): string[] {
  const commands = hosts
    .shared('journal')
    .split('\n')
    .filter((line) => DESTRUCTIVE.test(line));
  const files = cluster.hosts.flatMap(({ name, role }) =>
    filesOf(role, cluster).filter((path) => hosts.read(name, path) === undefined),
  );
  return [...commands, ...files];
}

function calls(): number {
  return hosts
    .shared('journal')
    .split('\n')
    .filter((line) => /^\S+ (kubectl|etcdctl|openssl|crictl)/.test(line)).length;
}

function filesOf(role: string, cluster: Cluster): string[] {
  const etcd = role === 'etcd' || (role === 'control-plane' && cluster.etcd.topology === 'stacked');
  const kubelet = role === 'etcd' ? [] : ['etc/kubernetes/kubelet.conf', 'etc/kubernetes/pki/ca.crt'];
  const controlPlane = role === 'control-plane' ? ['etc/kubernetes/admin.conf', 'etc/kubernetes/pki/ca.key'] : [];
  return [
    ...kubelet,
    ...controlPlane,
    ...(etcd ? ['var/lib/etcd/member/wal', 'etc/kubernetes/manifests/etcd.yaml'] : []),
  ];
}

/** A cluster that lives: its programs answer as the real ones do, but for the fault. No host's record says it joined. */
async function living(
  { cluster }: Scene,
  fault?: { call: number; lasting: boolean; kind: ProgramFault },
): Promise<void> {
  hosts = new BashHosts(cluster);
  for (const { name, role, address } of cluster.hosts) {
    for (const path of filesOf(role, cluster)) hosts.write(name, path, path.endsWith('ca.crt') ? CA : '');
    hosts.write(name, 'var/lib/kubelet/pki/kubelet-client-current.pem');
    hosts.write(name, 'etc/kubernetes/pki/etcd/healthcheck-client.crt');
    const record = { cluster: cluster.name, host: name, address, endpoint: '10.88.0.100:8443', caFingerprint: null };
    // Where the cluster began, only the record tells a living cluster from a first attempt that was cut off.
    const fingerprint = name === 'cp-1' ? `sha256:${'a'.repeat(64)}` : null;
    hosts.write(name, 'etc/kubewright/owner.json', JSON.stringify({ ...record, caFingerprint: fingerprint }, null, 2));
  }
  const test = fault === undefined ? 'false' : `[ "$n" ${fault.lasting ? '-ge' : '-eq'} ${fault.call} ]`;
  const noted = (name: string, answer: string) =>
    hosts.program(
      name,
      `answer() {
${answer}
}
n=$(flock "$SHARED/lock" bash -c 'echo "$1" >>"$2/journal"; grep -cE "^\\S+ (kubectl|etcdctl|openssl|crictl)" "$2/journal"' _ "$HOST ${name} $*" "$SHARED")
if ${test}; then ${fault === undefined ? ':' : PROGRAM_FAULTS[fault.kind]}; fi
answer "$@"`,
    );
  noted('kubectl', KUBECTL);
  noted('etcdctl', etcdctl(cluster));
  noted('openssl', OPENSSL);
  noted('crictl', 'echo "{\\"images\\": []}"');
  hosts.program(
    'systemctl',
    'echo "$HOST systemctl $*" >>"$SHARED/journal"; case $* in show*) echo 1 ;; *is-active*) exit 3 ;; esac',
  );
  hosts.program('kubeadm', 'echo "$HOST kubeadm $*" >>"$SHARED/journal"');
  hosts.program('sleep', ':');
  hosts.program('ip', ':');
}

const KUBECTL = `case $* in
  *'get --raw /readyz'*) echo ok ;;
  *'get --raw /version'*) echo '{"gitVersion": "v1.34.3"}' ;;
  *'get node '*) printf 'node\\nuid-1\\n{}\\n\\n10.88.0.99\\nTrue\\nv1.34.3\\nend of node\\n' ;;
esac`;

const OPENSSL = `case $* in
  s_client*) printf 'HTTP/1.0 200 OK\\r\\n\\r\\n{"kind": "Node", "metadata": {"uid": "uid-1"}}\\n' ;;
  *) echo key ;;
esac`;

function etcdctl(cluster: Cluster): string {
  const role = cluster.etcd.topology === 'external' ? 'etcd' : 'control-plane';
  const members = cluster.hosts
    .filter((host) => host.role === role)
    .map(
      ({ name, address }, at) => `a${at}, started, ${name}, https://${address}:2380, https://${address}:2379, false`,
    );
  return `case $* in
  *'member list'*) printf '%s\\n' ${members.map((line) => `'${line}'`).join(' ')} ;;
  *'--count-only'*) echo '"Count" : 300' ;;
esac`;
}
