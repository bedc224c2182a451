import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Architecture, machineArchitecture } from '../../src/artifacts/recipes.js';
import { Installed } from './support/installed.js';
import { expectNamesResolvedOn, runOn } from './support/worker-pods.js';

/** A guest of another architecture is always emulated: it does in a minute what a host in namespaces does in six seconds. */
const INSTALL_MS = 2_400_000;

const OWN = machineArchitecture() ?? 'amd64';
const OTHER: Architecture = OWN === 'amd64' ? 'arm64' : 'amd64';
/** How compilers call them, and the machine field of an ELF file's header (little endian). */
const MACHINE = { amd64: 'x86_64', arm64: 'aarch64' };
const ELF_MACHINE = { amd64: '3e 00', arm64: 'b7 00' };

/** Control plane and worker of this machine's architecture, and a worker of the other one. */
describe('an install on hosts of two architectures', () => {
  let cluster: Installed;

  beforeAll(async () => {
    const guest = { distribution: 'debian-13' as const, architecture: OTHER };
    cluster = await Installed.up('mixed', 'stacked', { hosts: 2, guests: { 'w-1': guest } });
    const began = Date.now();
    await cluster.install({ timeoutMs: INSTALL_MS });
    console.log(
      `install-mixed: installed in ${Math.round((Date.now() - began) / 1000)} s, one worker emulated (${OTHER})`,
    );
    await cluster.fetchKubeconfig();
  }, INSTALL_MS + 900_000);
  afterAll(async () => {
    await cluster?.down();
  });

  test('both nodes are Ready, each with its own architecture', async () => {
    const columns = [
      '{.metadata.name}',
      '{.status.nodeInfo.architecture}',
      '{.status.conditions[?(@.type=="Ready")].status}',
    ];
    const path = `jsonpath={range .items[*]}${columns.join(' ')}{"\\n"}{end}`;
    const nodes = await cluster.kubectl(['get', 'nodes', '-o', path]);
    expect(nodes.trim().split('\n')).toEqual([`cp-1 ${OWN} True`, `w-1 ${OTHER} True`]);
  });

  test.each([
    ['cp-1', OWN],
    ['w-1', OTHER],
  ] as const)('the programs of %s are for %s', async (name, architecture) => {
    // What runs, and what is started for every pod.
    const running = ['kubelet', 'containerd'].map((program) => `/proc/$(pgrep -o -x ${program})/exe`);
    const files = [...running, '/usr/local/bin/kubeadm', '/opt/cni/bin/bridge', '/opt/kubewright/runc/*/runc'];
    for (const file of files) {
      const header = `od -An -tx1 -j18 -N2 ${file}`;
      expect((await cluster.lab.host(name).exec(header)).stdout.trim(), file).toBe(ELF_MACHINE[architecture]);
    }
  });

  test('pods of each node run programs of its architecture', async () => {
    // What bash was compiled for.
    const machine = ['bash', '-c', 'echo "$HOSTTYPE"'];
    expect((await runOn(cluster, 'cp-1', 'own', machine)).trim()).toBe(MACHINE[OWN]);
    expect((await runOn(cluster, 'w-1', 'other', machine)).trim()).toBe(MACHINE[OTHER]);
  });

  test('kube-proxy and the pod network run on both', async () => {
    for (const name of ['cp-1', 'w-1']) {
      const path =
        'jsonpath={range .items[*]}{.metadata.name} {.status.phase} {.status.containerStatuses[*].ready}{"\\n"}{end}';
      const pods = await cluster.kubectl([
        'get',
        'pods',
        '-A',
        '--field-selector',
        `spec.nodeName=${name}`,
        '-o',
        path,
      ]);
      const system = pods.split('\n').filter((line) => /^kube-(proxy|flannel)/.test(line));
      expect(system.map((line) => line.replace(/^(kube-[a-z]+)\S*/, '$1')).sort()).toEqual([
        'kube-flannel Running true',
        'kube-proxy Running true',
      ]);
    }
  });

  expectNamesResolvedOn(() => cluster, 'w-1');
});
