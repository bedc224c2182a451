import { execa } from 'execa';
import { beforeEach, describe, expect, test } from 'vitest';
import { initControlPlane } from '../../../../src/activities/kubeadm/initControlPlane.js';
import { fingerprintOf } from '../../../../src/activities/kubeadm/join/join.js';
import { joinControlPlane } from '../../../../src/activities/kubeadm/joinControlPlane.js';
import { joinWorker } from '../../../../src/activities/kubeadm/joinWorker.js';
import type { StepImplementation } from '../../../../src/activities/types.js';
import { renderOwner } from '../../../../src/render/owner.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextAmong, type FakeHost, factLines, fakeHosts, hostIn } from '../fake-hosts.js';
import { CA, nodeText } from './fixtures.js';

const cluster = clusterOf({ controlPlanes: 3, workers: 1 });
const TOKEN = /[a-z0-9]{6}\.[a-z0-9]{16}/;

const node = (address: string) => nodeText('{}', '', address);
/** A former self's node: nobody keeps it Ready. */
const lostNode = (address: string) => node(address).replace('True', 'Unknown');
const member = (id: string, host: number, learner: boolean) =>
  `${id}, started, cp-${host}, https://10.88.0.1${host}:2380, https://10.88.0.1${host}:2379, ${learner}`;

let hosts: Map<string, FakeHost>;
let via: FakeHost;

beforeEach(() => {
  hosts = fakeHosts(cluster);
  via = hostIn(hosts, 'cp-1').fact('ready', 'ok').fact('initialised', '');
  via.files.set('/etc/kubernetes/pki/ca.crt', CA);
  via.fact('members', member('a1', 1, false));
  via.answer('member remove', 'removed');
});

async function apply(step: StepImplementation, name: string): Promise<void> {
  const action = step === joinWorker ? 'joinWorker' : 'joinControlPlane';
  const context = contextAmong(hosts, cluster, action, name);
  await step.apply(context, { done: false, found: '', changes: [] });
}

describe('the secrets of a join', () => {
  test('are a token, and for a control plane a certificate key, made by and for this join', async () => {
    await apply(joinControlPlane, 'cp-2');
    const [secrets] = hostIn(hosts, 'cp-2').secrets;
    expect(secrets?.token).toMatch(TOKEN);
    expect(secrets?.['certificate-key']).toMatch(/^[0-9a-f]{64}$/);
    expect(via.log).toContain('upload-certs --upload-certs --skip-certificate-key-print');
    await apply(joinControlPlane, 'cp-2');
    expect(hostIn(hosts, 'cp-2').secrets[1]).not.toEqual(secrets);
  });

  test('of a worker are a token and nothing else', async () => {
    await apply(joinWorker, 'w-1');
    expect(Object.keys(hostIn(hosts, 'w-1').secrets[0] ?? {})).toEqual(['token']);
    expect(via.log).not.toContain('upload-certs');
  });

  test('are in no script: scripts are argument lists and records on a disk', async () => {
    await apply(joinControlPlane, 'cp-2');
    const secrets = Object.values(hostIn(hosts, 'cp-2').secrets[0] ?? {});
    const scripts = [...hosts.values()].flatMap((host) => [host.log, ...host.durables.map(({ script }) => script)]);
    expect(secrets).toHaveLength(2);
    for (const secret of [...secrets, ...secrets.map((each) => each.split('.')[1] ?? each)]) {
      for (const script of scripts) expect(script).not.toContain(secret);
    }
  });

  test('are not made while a join runs: it has its own', async () => {
    hostIn(hosts, 'cp-2').durableRuns = true;
    await apply(joinControlPlane, 'cp-2');
    expect(via.scripts.map(({ input }) => input).join('')).not.toMatch(/token-secret|certificateKey/);
    expect(via.log).not.toContain('delete --raw');
  });

  test('are deleted from the cluster when the join is done', async () => {
    await apply(joinControlPlane, 'cp-2');
    expect(via.log).toContain('delete secret --selector=kubewright.dev/join=cp-2');
  });

  test('expire by themselves, and give no right but to join', async () => {
    await apply(joinWorker, 'w-1');
    const { script, input } = via.scripts.find((each) => each.script.includes('create -f -')) ?? {
      script: '',
      input: '',
    };
    // By the clock of the control plane, which judges it: the worker's may be wrong.
    const { stdout } = await execa(
      'bash',
      ['--norc', '-c', `kubectl() { cat; }\n${script}`.replace('>/dev/null', '')],
      {
        input,
      },
    );
    const secret = JSON.parse(stdout);
    const minutes = (Date.parse(secret.stringData.expiration) - Date.now()) / 60_000;
    expect(minutes).toBeLessThanOrEqual(20);
    expect(minutes).toBeGreaterThan(19);
    expect(secret.stringData['auth-extra-groups']).toBe('system:bootstrappers:kubeadm:default-node-token');
    expect(secret.stringData).not.toHaveProperty('usage-bootstrap-signing');
  });
});

describe('what a failed join left', () => {
  beforeEach(() => {
    hostIn(hosts, 'cp-2').fact('traces', '');
    const members = [member('a1', 1, false), member('b2', 2, true)].join('\n');
    via = hostIn(hosts, 'cp-1');
    hosts.set('cp-1', rebuilt(via, members));
    via = hostIn(hosts, 'cp-1');
  });

  test('is taken out of etcd and out of the cluster before the next one', async () => {
    await apply(joinControlPlane, 'cp-2');
    const order = ['member remove b2', 'delete --raw /api/v1/nodes/cp-2', 'create -f -'].map((text) =>
      via.log.indexOf(text),
    );
    expect(order.every((at) => at >= 0)).toBe(true);
    expect([...order].sort((a, b) => a - b)).toEqual(order);
  });

  test('in etcd by another control plane is taken out too: etcd takes one learner at a time', async () => {
    hosts.set('cp-1', rebuilt(via, [member('a1', 1, false), member('c3', 3, true)].join('\n')));
    await apply(joinControlPlane, 'cp-2');
    expect(hostIn(hosts, 'cp-1').log).toContain('member remove c3');
  });

  test('in etcd and never came is taken out as well: it would count for the quorum, or keep the next learner out', async () => {
    const never = 'b2, unstarted, , https://10.88.0.12:2380, , true';
    hosts.set('cp-1', rebuilt(via, [member('a1', 1, false), never].join('\n')));
    await apply(joinControlPlane, 'cp-2');
    expect(hostIn(hosts, 'cp-1').log).toContain('member remove b2');
    expect(hostIn(hosts, 'cp-2').durables).toHaveLength(1);
  });

  test('is cleaned up on the host by the join itself', async () => {
    await apply(joinControlPlane, 'cp-2');
    expect(hostIn(hosts, 'cp-2').durables[0]?.script).toContain('kubeadm reset --force');
  });

  test('a voter is no leftover: the host is brought back, and nothing of it is reset', async () => {
    hosts.set('cp-1', rebuilt(via, [member('a1', 1, false), member('b2', 2, false)].join('\n')));
    const joining = hostIn(hosts, 'cp-2');
    // Whole as soon as its kubelet was restarted.
    joining.answer('restart kubelet', () => {
      whole(joining);
      return '';
    });
    await apply(joinControlPlane, 'cp-2');
    expect(joining.durables).toEqual([]);
    expect(joining.log).toContain('rm -f /etc/kubernetes/bootstrap-kubelet.conf');
    expect(hostIn(hosts, 'cp-1').log).not.toMatch(/member remove|delete --raw/);
  });
});

test('a host that was replaced by a blank one gives up its old vote and joins anew', async () => {
  const members = [member('a1', 1, false), member('b2', 2, false), member('c3', 3, false)].join('\n');
  hosts.set('cp-1', rebuilt(via, members).fact('node', lostNode('10.88.0.12')));
  await apply(joinControlPlane, 'cp-2');
  expect(hostIn(hosts, 'cp-1').log).toContain('member remove b2');
  expect(hostIn(hosts, 'cp-2').durables).toHaveLength(1);
});

test('any control plane will do: the first one may be away', async () => {
  hostIn(hosts, 'cp-1').reachable = false;
  const other = hostIn(hosts, 'cp-3').fact('ready', 'ok');
  other.files.set('/etc/kubernetes/pki/ca.crt', CA);
  await apply(joinWorker, 'w-1');
  expect(other.log).toContain('create -f -');
});

test('the host on which the cluster began, replaced by a blank one, is joined to the others; init does not run', async () => {
  hosts.set('cp-1', hostIn(fakeHosts(cluster), 'cp-1'));
  const other = hostIn(hosts, 'cp-3').fact('ready', 'ok').fact('initialised', '').fact('node', lostNode('10.88.0.11'));
  other.files.set('/etc/kubernetes/pki/ca.crt', CA);
  const members = [member('a1', 1, false), member('b2', 2, false), member('c3', 3, false)].join('\n');
  other.fact('members', members).answer('member remove', 'removed');
  const context = contextAmong(hosts, cluster, 'initControlPlane', 'cp-1');
  await initControlPlane.apply(context, { done: false, found: '', changes: [] });
  expect(other.log).toContain('member remove a1');
  const scripts = hostIn(hosts, 'cp-1').durables.map(({ script }) => script);
  expect(scripts).toHaveLength(1);
  expect(scripts[0]).toContain('kubeadm join --config');
  expect(scripts[0]).not.toContain('kubeadm init');
});

test('the host on which the cluster began and that is down with it is waited for; init does not run again', async () => {
  const first = hostIn(fakeHosts(cluster), 'cp-1').fact('initialised', '').fact('traces', '');
  hosts.set('cp-1', first);
  for (const name of ['cp-2', 'cp-3']) hostIn(hosts, name).reachable = false;
  const digest = fingerprintOf(Buffer.from(CA)).replace('sha256:', '');
  const owner = {
    cluster: 'demo',
    endpoint: '10.88.0.100:8443',
    host: 'cp-1',
    address: '10.88.0.11',
    caFingerprint: `sha256:${digest}`,
  };
  first.fact('ca', digest).fact('owner', renderOwner(owner));
  first.answer('restart kubelet', () => {
    whole(first);
    first.fact('members', member('a1', 1, false));
    return '';
  });
  await initControlPlane.apply(contextAmong(hosts, cluster, 'initControlPlane', 'cp-1'), {
    done: false,
    found: '',
    changes: [],
  });
  expect(first.durables).toEqual([]);
});

describe('whether a host is a member is not known', () => {
  test.each([
    ['the API does not tell', 'w-1', () => via.cannotTell('node')],
    ['etcd does not tell', 'cp-2', () => via.cannotTell('members')],
    ['the host does not tell what is on it', 'w-1', () => hostIn(hosts, 'w-1').cannotTell('traces')],
    ['its ownership record cannot be read', 'w-1', () => hostIn(hosts, 'w-1').fact('owner', '{"cluster": "de')],
  ])('while %s: the step waits and takes nothing away', async (_, name, break_) => {
    hostIn(hosts, name).fact('traces', '');
    break_();
    const step = name === 'w-1' ? joinWorker : joinControlPlane;
    await expect(apply(step, name)).rejects.toMatchObject({ code: 'KW435', host: name, transient: true });
    expect(hostIn(hosts, name).durables).toEqual([]);
    expect(via.log).not.toMatch(/member remove|delete --raw|create -f/);
  });
});

test('a host that has joined once is brought back also when somebody deleted its node', async () => {
  const worker = hostIn(hosts, 'w-1').fact('traces', '');
  const owner = { cluster: 'demo', endpoint: '10.88.0.100:8443', host: 'w-1', address: '10.88.0.21' };
  worker.fact('owner', renderOwner({ ...owner, caFingerprint: `sha256:${'a'.repeat(64)}` }));
  worker.answer('restart kubelet', () => {
    const json = { kind: 'Node', metadata: { uid: 'u-2' }, status: nodeStatus('10.88.0.21') };
    worker.fact('kubelet', 'active').fact('healthz', '').fact('server', 'https://10.88.0.100:8443');
    worker.fact('node', JSON.stringify(json));
    return '';
  });
  await apply(joinWorker, 'w-1');
  expect(worker.durables).toEqual([]);
  expect(via.log).not.toContain('delete --raw');
});

test('a former node goes by its UID, so that one which was registered meanwhile stays', async () => {
  via.fact('node', lostNode('10.88.0.21'));
  await apply(joinWorker, 'w-1');
  expect(via.log).toContain('"preconditions":{"uid":"u-1"}');
});

test('of a blank host the node stays while some kubelet keeps it Ready', async () => {
  let looks = 0;
  via.answer('ask node node_object', () => {
    looks += 1;
    return factLines({ node: looks < 3 ? node('10.88.0.21') : lostNode('10.88.0.21') });
  });
  await apply(joinWorker, 'w-1');
  expect(looks).toBe(3);
  expect(via.log).toContain('delete --raw /api/v1/nodes/w-1');
}, 20_000);

function nodeStatus(address: string) {
  return { addresses: [{ type: 'InternalIP', address }], nodeInfo: { kubeletVersion: 'v1.34.3' } };
}

/** cp-1 with another list of members. */
function rebuilt(former: FakeHost, members: string): FakeHost {
  const host = hostIn(fakeHosts(cluster), 'cp-1').fact('ready', 'ok').fact('node', node('10.88.0.12'));
  for (const [path, text] of former.files) host.files.set(path, text);
  return host.fact('members', members).answer('member remove', 'removed');
}

function whole(host: FakeHost): void {
  host
    .fact('kubelet', 'active')
    .fact('ready', 'ok')
    .fact('version', '{"gitVersion": "v1.34.3"}')
    .fact('node', node(host.remote.address));
  host.fact('members', member('b2', 2, false));
  for (const name of ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd']) {
    host
      .fact(`manifest:${name}`, `spec: {containers: [{command: [${name}, --v=1]}]}`)
      .fact(`process:${name}`, `${name}\n--v=1`);
  }
}
