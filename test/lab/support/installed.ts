import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { parse, stringify } from 'yaml';
import { programOf } from '../../../lab/artifacts/programs.js';
import { type Lab, type LabHost, type LabUpOptions, labUp, type Topology } from '../../../lab/hosts/index.js';
import { until } from '../../../lab/hosts/machine/run.js';
import { ensureBundle } from '../../../src/artifacts/bundle.js';
import { readBundle } from '../../../src/bundle/bundle.js';
import { apiServerPort } from '../../../src/cluster/chosen-ports.js';
import { DEFAULTS } from '../../../src/cluster/defaults.js';
import { loadCluster } from '../../../src/cluster/load.js';
import { PROGRAM } from './root.js';

const PKI = '/etc/kubernetes/pki';

/** Sections of `spec`, each with the keys that it gets. */
export type Spec = Record<string, Record<string, unknown>>;

/** A cluster.yaml with further keys; what is in its sections already stays. */
export function withSpec(text: string, more: Spec): string {
  const file = parse(text) as { spec: Spec };
  for (const [section, keys] of Object.entries(more)) file.spec[section] = { ...file.spec[section], ...keys };
  return stringify(file);
}

type UpOptions = Pick<LabUpOptions, 'hosts' | 'clusterFile' | 'guests' | 'kinds' | 'kubernetes'> & { spec?: Spec };

interface RunOptions {
  allowFailure?: boolean;
  state?: string;
  timeoutMs?: number;
}

/** A lab with a cluster in it, seen as a stranger sees it: with kubectl, etcdctl and ip, never by the installer's word. */
export class Installed {
  /** Where hosts have what etcdctl needs. */
  etcdPki = `${PKI}/etcd`;

  private constructor(
    readonly lab: Lab,
    /** State directory of the embedded Temporal server. */
    readonly state: string,
    readonly kubectlPath: string,
    /** Of Kubernetes. */
    readonly version: string,
    /** Where clients find the API at the VIP, and where each API server listens. */
    readonly ports: { endpoint: number; apiServer: number },
  ) {}

  /**
   * @param options how many hosts, the topology's own number unless given, which of them are guests, and what makes them
   * harder to reach; `spec` is what cluster.yaml says besides, section by section
   */
  static async up(name: string, topology: Topology, { spec, ...options }: UpOptions = {}): Promise<Installed> {
    const version = options.kubernetes ?? DEFAULTS.kubernetes.version;
    const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const bundle = await readBundle(await ensureBundle({ version, arch }));
    const kubectl = await programOf(bundle, 'bin/kubectl');
    // A file of its own says which hosts there are.
    const kind = options.clusterFile === undefined ? { topology } : {};
    const lab = await labUp({ name, ...kind, ...options, replace: true });
    const { clusterFile } = lab.files;
    if (spec !== undefined) await writeFile(clusterFile, withSpec(await readFile(clusterFile, 'utf8'), spec));
    const { cluster } = await loadCluster(clusterFile);
    const ports = { endpoint: cluster.endpoint.port, apiServer: apiServerPort(cluster) };
    return new Installed(lab, await mkdtemp(join(tmpdir(), `kubewright-${name}-`)), kubectl, version, ports);
  }

  async down(): Promise<void> {
    await this.kubewright(['server', 'stop'], { allowFailure: true });
    await this.lab.down();
    await rm(this.state, { recursive: true, force: true });
  }

  get kubeconfig(): string {
    return join(this.state, 'admin.kubeconfig');
  }

  controlPlanes(): LabHost[] {
    return this.lab.hosts.filter(({ role }) => role === 'control-plane');
  }

  nodes(): LabHost[] {
    return this.lab.hosts.filter(({ role }) => role === 'control-plane' || role === 'worker');
  }

  /** Hosts with an etcd member. */
  members(): LabHost[] {
    const external = this.lab.hosts.filter(({ role }) => role === 'etcd');
    return external.length > 0 ? external : this.controlPlanes();
  }

  /** Runs the command line as a user does; its output goes to the test's, for whoever reads a failure. */
  async kubewright(args: string[], options: RunOptions = {}) {
    const result = await execa(process.execPath, [PROGRAM, '--state-dir', options.state ?? this.state, ...args], {
      reject: false,
      all: true,
      stdin: 'ignore',
      timeout: options.timeoutMs ?? 900_000,
    });
    if (result.exitCode !== 0 && !options.allowFailure) {
      throw new Error(`kubewright ${args.join(' ')} ended with ${result.exitCode}:\n${result.all?.slice(-6_000)}`);
    }
    return result;
  }

  async install(options: Pick<RunOptions, 'state' | 'timeoutMs'> = {}) {
    return await this.kubewright(['install', this.lab.files.clusterFile], options);
  }

  async fetchKubeconfig(): Promise<void> {
    await this.kubewright(['kubeconfig', this.lab.files.clusterFile, '--output', this.kubeconfig]);
  }

  /** kubectl on this machine, which is none of the hosts, through VIP and port. */
  async kubectl(args: string[], input?: string): Promise<string> {
    const { stdout } = await execa(
      this.kubectlPath,
      ['--kubeconfig', this.kubeconfig, '--request-timeout=5s', ...args],
      input === undefined ? { stdin: 'ignore' } : { input },
    );
    return stdout;
  }

  async tryKubectl(args: string[]): Promise<string | undefined> {
    return await this.kubectl(args).catch(() => undefined);
  }

  /** All bootstrap tokens of the cluster, as its API shows them. */
  async bootstrapTokens(): Promise<{ name: string; letsIn: boolean; signs: boolean; expires: Date }[]> {
    const type = 'type=bootstrap.kubernetes.io/token';
    const list = await this.kubectl(['-n', 'kube-system', 'get', 'secrets', '--field-selector', type, '-o', 'json']);
    const { items } = JSON.parse(list) as { items: { metadata: { name: string }; data: Record<string, string> }[] };
    return items.map(({ metadata, data }) => {
      const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
      return {
        name: metadata.name,
        letsIn: text('usage-bootstrap-authentication') === 'true',
        signs: text('usage-bootstrap-signing') === 'true',
        expires: new Date(text('expiration')),
      };
    });
  }

  /** Names of the bootstrap tokens that were made to let a host in: kubeadm's own also signs cluster-info. */
  async joinTokens(): Promise<string[]> {
    return (await this.bootstrapTokens()).filter(({ letsIn, signs }) => letsIn && !signs).map(({ name }) => name);
  }

  private etcdctl(endpoint: string, command: string): string {
    const etcd = this.etcdPki;
    return `etcdctl --command-timeout=3s --endpoints=${endpoint} --cacert=${etcd}/ca.crt --cert=${etcd}/healthcheck-client.crt --key=${etcd}/healthcheck-client.key ${command}`;
  }

  /** Lines of `etcdctl member list`: id, status, name, peer, client, learner. */
  async etcdMembers(via: LabHost): Promise<string[][]> {
    const { stdout } = await via.exec(this.etcdctl('https://127.0.0.1:2379', 'member list'));
    return stdout.split('\n').map((line) => line.split(', '));
  }

  /** Client URLs of the members that answer, asked through one that is up. */
  async healthyEtcd(via: LabHost): Promise<number> {
    const endpoints = this.members().map(({ address }) => `https://${address}:2379`);
    const asked = endpoints.map((endpoint) =>
      via.exec(this.etcdctl(endpoint, 'endpoint health'), { allowFailure: true }),
    );
    return (await Promise.all(asked)).filter(({ exitCode }) => exitCode === 0).length;
  }

  /** Hosts whose kernel has the VIP on a card; with LVS every control plane has it on `lo`, in the scope of the host. */
  async vipHolders(): Promise<LabHost[]> {
    const found: LabHost[] = [];
    for (const host of this.lab.hosts) {
      if ((await host.initPid()) === undefined) continue;
      const { stdout } = await host.exec(`ip -o -4 address show to ${this.lab.vip} scope global`);
      if (stdout.trim() !== '') found.push(host);
    }
    return found;
  }

  /**
   * Waits until every host is up again: every API server ready, nodes Ready, every etcd member healthy. A node that was
   * away for a moment only is listed as Ready all the time, so the API servers are asked one by one.
   */
  async whole(): Promise<boolean> {
    return Boolean(
      await until(async () => {
        const ready = await this.tryKubectl(['get', 'nodes', '-o', READY]);
        if (
          ready?.trim() !==
          this.nodes()
            .map(() => 'True')
            .join(' ')
        )
          return false;
        const answers = this.controlPlanes().map(({ address }) =>
          this.tryKubectl(['--server', `https://${address}:${this.ports.apiServer}`, 'get', '--raw', '/readyz']),
        );
        if ((await Promise.all(answers)).some((answer) => answer !== 'ok')) return false;
        const [first] = this.members();
        return first !== undefined && (await this.healthyEtcd(first)) === this.members().length;
      }, 180_000),
    );
  }

  /** Whether a write through the VIP goes through within two minutes: bounded, for how fast it is the benchmark says. */
  async takesWrite(value: string): Promise<boolean> {
    const annotate = ['annotate', '--overwrite', 'namespace', 'default', `kubewright.dev/test=${value}`];
    if (!(await until(async () => (await this.tryKubectl(annotate)) !== undefined, 120_000))) return false;
    const read = await this.kubectl([
      'get',
      'namespace',
      'default',
      '-o',
      'jsonpath={.metadata.annotations.kubewright\\.dev/test}',
    ]);
    return read === value;
  }

  /**
   * What a second install could have changed: hash and time of every file in the places it writes to, and when each
   * component's process was started.
   */
  async fingerprint(host: LabHost): Promise<string> {
    const { stdout } = await host.exec(`
      find /etc /usr/local/bin /opt/kubewright /opt/cni -type f \\( -path '*kube*' -o -path '*haproxy*' -o -path '*keepalived*' -o -path '*containerd*' \\
        -o -path '/usr/local/bin/*' -o -path '/opt/kubewright/*' -o -path '/opt/cni/*' -o -path '*sysctl*' -o -path '*modules-load*' \\) -printf '%p %T@ %s\\n' | sort
      for name in kubelet containerd haproxy keepalived etcd kube-apiserver kube-scheduler; do
        for pid in $(pgrep -o -x "$name"); do echo "$name $pid $(stat -c %Y /proc/$pid)"; done
      done`);
    return stdout;
  }
}

const READY = 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}';
