import { ExecaError, execa } from 'execa';
import type { Lab, LabHost } from '../hosts/index.js';
import { until } from '../hosts/machine/run.js';
import { etcdctl } from './etcd.js';

/** Where clients find the API at the VIP, and where each API server listens. */
export interface ClusterPorts {
  endpoint: number;
  apiServer: number;
}

const READY = 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}';

/** A cluster on lab hosts, seen as a stranger sees it: with kubectl, etcdctl and ip, never by the installer's word. */
export class LabCluster {
  /** Where hosts have what etcdctl needs. */
  etcdPki = '/etc/kubernetes/pki/etcd';

  /** @param kubeconfig path of an administrator's kubeconfig, which may come to be later */
  constructor(
    readonly lab: Lab,
    readonly kubectlPath: string,
    readonly kubeconfig: string,
    readonly ports: ClusterPorts,
  ) {}

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

  /** A command line of etcdctl for a host with a member, with what that has of certificates. */
  etcdctl(endpoint: string, command: string): string {
    return etcdctl(this.etcdPki, endpoint, command);
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
   * away for a moment only is listed as Ready all the time, so the API servers are asked one by one. When the time is over it
   * prints what is not so, for whoever reads the failure.
   */
  async whole(limitMs = 180_000): Promise<boolean> {
    let amiss: string[] = [];
    const isWhole = async () => {
      amiss = await this.amiss();
      return amiss.length === 0;
    };
    // Asking costs a dozen processes: more often, it would keep busy what it waits for.
    if (await until(isWhole, limitMs, 500)) return true;
    console.log(`not whole after ${Math.round(limitMs / 1000)} s:\n  ${amiss.join('\n  ')}`);
    return false;
  }

  /** What is not as it should be, most general first: where the endpoint does not answer, nothing else is asked. */
  private async amiss(): Promise<string[]> {
    const nodes = await this.ask(['get', 'nodes', '-o', READY]);
    if (nodes.answer === undefined) return [`no answer at the endpoint: ${nodes.why}`];
    const wanted = this.nodes().map(() => 'True');
    if (nodes.answer.trim() !== wanted.join(' ')) return [`nodes are Ready: ${nodes.answer}`];
    const servers = await Promise.all(
      this.controlPlanes().map(async ({ name, address }) => {
        const server = `https://${address}:${this.ports.apiServer}`;
        const { answer, why } = await this.ask(['--server', server, 'get', '--raw', '/readyz']);
        return answer === 'ok' ? [] : [`the API server of ${name} is not ready: ${answer ?? why}`];
      }),
    );
    if (servers.flat().length > 0) return servers.flat();
    const [first] = this.members();
    const healthy = first === undefined ? 0 : await this.healthyEtcd(first);
    return healthy === this.members().length
      ? []
      : [`${healthy} of ${this.members().length} members of etcd are healthy`];
  }

  private async ask(args: string[]): Promise<{ answer?: string; why: string }> {
    return await this.kubectl(args).then(
      (answer) => ({ answer, why: '' }),
      (error: unknown) => ({ why: error instanceof ExecaError ? String(error.stderr) : String(error) }),
    );
  }
}
