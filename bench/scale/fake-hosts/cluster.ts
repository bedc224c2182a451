import { randomUUID } from 'node:crypto';
import type { Cluster, Taint } from '../../../src/cluster/types.js';
import { type ApiObject, FakeApi } from './api.js';
import { CoreDns } from './core-dns.js';
import type { FakeHost } from './host.js';
import { TIMING, type Timed } from './timing.js';

/** A member of the fake etcd. */
export interface FakeMember {
  id: string;
  name: string;
  address: string;
}

interface FakeNode {
  host: FakeHost;
  uid: string;
  podCidr: string;
  labels: Record<string, string>;
  taints: Taint[];
  annotations: Record<string, string>;
  joinedAt: number;
}

/** What the fake hosts of one cluster share: the API, etcd, the virtual IP. There is none before an init. */
export class FakeCluster {
  readonly api = new FakeApi();
  readonly dns = new CoreDns(this);
  readonly members: FakeMember[] = [];
  readonly hosts = new Map<string, FakeHost>();
  readonly nodes = new Map<string, FakeNode>();
  /** Scripts that nobody knew an answer to: each one is a defect of the fakes. */
  readonly unknown: string[] = [];
  /** Hosts by number, as the check of reachability numbers them, to what each received. */
  readonly received = new Map<string, string[]>();
  /** Output with which every installation of packages fails, where there is a fault. */
  fault: string | undefined;

  /**
   * @param config the cluster as it is resolved from its file
   * @param pace what the times of `TIMING` are multiplied by
   */
  constructor(
    readonly config: Cluster,
    readonly pace: number,
  ) {
    this.api.compute('node', () => [...this.nodes.values()].map((node) => this.#nodeObject(node)));
    this.api.compute('pod', () => this.dns.pods());
    this.api.compute('deployment', () => this.dns.deployments());
  }

  /** Milliseconds that something takes here. */
  time(what: Timed): number {
    return TIMING[what] * this.pace;
  }

  /** The host that has the virtual IP: the first one whose keepalived runs. */
  get holder(): FakeHost | undefined {
    return [...this.hosts.values()].find((host) => host.active.has('keepalived'));
  }

  /** Whether a cluster was begun: an API server answers behind the virtual IP then. */
  get lives(): boolean {
    return this.members.length > 0 && this.holder !== undefined;
  }

  get hasNetwork(): boolean {
    return this.api.find('daemonset', 'kube-flannel', 'kube-flannel-ds') !== undefined;
  }

  addMember({ name, address }: FakeHost): void {
    const id = (0xa0_00_00 + this.members.length).toString(16);
    this.members.push({ id, name, address });
  }

  addNode(host: FakeHost): void {
    const controlPlane = host.role === 'control-plane';
    const number = this.nodes.size;
    this.nodes.set(host.name, {
      host,
      uid: randomUUID(),
      podCidr: `10.${128 + Math.floor(number / 256)}.${number % 256}.0/24`,
      labels: controlPlane ? CONTROL_PLANE_LABELS : {},
      taints: controlPlane ? [CONTROL_PLANE_TAINT] : [],
      annotations: {},
      joinedAt: Date.now(),
    });
  }

  /** Names of nodes that pods may run on. */
  readyNodes(): string[] {
    return [...this.nodes.values()].filter((node) => this.#isReady(node)).map(({ host }) => host.name);
  }

  #isReady({ joinedAt }: FakeNode): boolean {
    return this.hasNetwork && Date.now() - joinedAt >= this.time('nodeReady');
  }

  #nodeObject(node: FakeNode): ApiObject {
    const { host, uid, labels, taints, annotations, podCidr } = node;
    const pressures = ['MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => ({ type, status: 'False' }));
    return {
      kind: 'Node',
      metadata: { name: host.name, uid, labels, annotations },
      spec: { podCIDR: podCidr, ...(taints.length > 0 && { taints }) },
      status: {
        conditions: [...pressures, { type: 'Ready', status: this.#isReady(node) ? 'True' : 'False' }],
        addresses: [{ type: 'InternalIP', address: host.address }],
        nodeInfo: { kubeletVersion: `v${this.config.kubernetes.version}`, architecture: 'amd64' },
      },
    };
  }
}

/** As kubeadm sets them. */
const CONTROL_PLANE_LABELS = {
  'node-role.kubernetes.io/control-plane': '',
  'node.kubernetes.io/exclude-from-external-load-balancers': '',
};
const CONTROL_PLANE_TAINT: Taint = {
  key: 'node-role.kubernetes.io/control-plane',
  value: '',
  effect: 'NoSchedule',
};
