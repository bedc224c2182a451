import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { parse, stringify } from 'yaml';
import { programOf } from '../../../lab/artifacts/programs.js';
import { type Lab, type LabHost, type LabUpOptions, labUp, type Topology } from '../../../lab/hosts/index.js';
import { until } from '../../../lab/hosts/machine/run.js';
import { type ClusterPorts, LabCluster } from '../../../lab/probes/cluster.js';
import { ensureBundle } from '../../../src/artifacts/bundle.js';
import { readBundle } from '../../../src/bundle/bundle.js';
import { apiServerPort } from '../../../src/cluster/chosen-ports.js';
import { DEFAULTS } from '../../../src/cluster/defaults.js';
import { loadCluster } from '../../../src/cluster/load.js';
import { PROGRAM } from './root.js';

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

/** A lab with a cluster in it that the command line installs, and what tests ask of it. */
export class Installed extends LabCluster {
  private constructor(
    lab: Lab,
    /** State directory of the embedded Temporal server. */
    readonly state: string,
    kubectlPath: string,
    /** Of Kubernetes. */
    readonly version: string,
    ports: ClusterPorts,
  ) {
    super(lab, kubectlPath, join(state, 'admin.kubeconfig'), ports);
  }

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
