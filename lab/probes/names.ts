import { stringify } from 'yaml';
import type { Lab, LabHost } from '../hosts/index.js';
import { until } from '../hosts/machine/run.js';

/** A cluster on lab hosts, and kubectl for it. */
export interface ProbedCluster {
  lab: Lab;
  /** @param input what kubectl reads as its standard input */
  kubectl(args: string[], input?: string): Promise<string>;
}

/** What an observer on one node saw of DNS, from the moment in which something was broken. Seconds. */
export interface NamesSeen {
  node: string;
  /** Until a name was resolved again, or undefined when it never was. */
  first: number | undefined;
  /** Until the last query that was not answered; 0 when all were. */
  lastLost: number;
}

const LABEL = 'test=names';

/**
 * Observers of DNS: one pod on each node that asks for a name once a second and writes down, with the time of the machine
 * that all lab hosts share, whether it was told within that second. Each query is a new one, from a new port, so that
 * kube-proxy chooses anew among the pods of CoreDNS.
 */
export class NameObservers {
  private constructor(private readonly cluster: ProbedCluster) {}

  static async start(cluster: ProbedCluster): Promise<NameObservers> {
    const nodes = nodesOf(cluster.lab);
    const pods = await Promise.all(nodes.map(async (host) => observer(host.name, await agnhostOn(host))));
    await cluster.kubectl(['apply', '-f', '-'], pods.map((pod) => stringify(pod)).join('---\n'));
    const observers = new NameObservers(cluster);
    if (!(await observers.allAnswered())) throw new Error('DNS does not answer the observers');
    return observers;
  }

  async stop(): Promise<void> {
    await this.cluster.kubectl(['delete', 'pods', '-l', LABEL, '--force', '--grace-period=0']);
  }

  /**
   * Waits, for two minutes at most, until every observer but the one on the lost host has had a row of answers since, and
   * tells what each saw.
   *
   * @param since when it was broken, as `Date.now()`
   * @param row how many answers one after the other; default: so many that none is lost any more
   */
  async recovery(since: number, lost: string, row = CALM): Promise<NamesSeen[]> {
    const names = nodesOf(this.cluster.lab).flatMap(({ name }) => (name === lost ? [] : [name]));
    await this.#calm(names, since, row);
    return Promise.all(names.map(async (node) => ({ node, ...judge(await this.#lines(node), since / 1_000) })));
  }

  /**
   * Waits until every observer, those of hosts that have just come back among them, has had a row of answers: a pod of
   * CoreDNS is Ready as soon as its own host can ask it, and serves the others only when its host's network carries again.
   */
  async allAnswered(): Promise<boolean> {
    return this.#calm(
      nodesOf(this.cluster.lab).map(({ name }) => name),
      Date.now(),
      CALM / 2,
    );
  }

  async #calm(names: string[], since: number, row: number): Promise<boolean> {
    const after = async (name: string) => (await this.#lines(name)).filter(({ at }) => at * 1_000 >= since);
    const isCalm = (lines: Line[]) => lines.length >= row && lines.slice(-row).every(({ told }) => told);
    return Boolean(await until(async () => (await Promise.all(names.map(after))).every(isCalm), 120_000));
  }

  /** From the host itself: kubectl's way to the logs leads through the API server, which may be what was lost. */
  async #lines(node: string): Promise<Line[]> {
    const script = `cat /var/log/pods/default_names-${node}_*/ask/*.log 2>/dev/null || true`;
    const { stdout } = await this.cluster.lab.host(node).exec(script, { allowFailure: true });
    return [...stdout.matchAll(/ (\d+) (told|lost)$/gm)].map(([, at, what]) => {
      return { at: Number(at), told: what === 'told' };
    });
  }
}

/** Names of the nodes with a pod of CoreDNS that is Ready. */
export async function dnsHosts(cluster: ProbedCluster): Promise<string[]> {
  const list = await cluster.kubectl(['-n', 'kube-system', 'get', 'pods', '-l', 'k8s-app=kube-dns', '-o', 'json']);
  const { items } = JSON.parse(list) as { items: PodJson[] };
  const ready = items.filter(({ status }) =>
    status.conditions?.some((each) => each.type === 'Ready' && each.status === 'True'),
  );
  return [...new Set(ready.flatMap(({ spec }) => spec.nodeName ?? []))];
}

interface PodJson {
  spec: { nodeName?: string };
  status: { conditions?: { type: string; status: string }[] };
}

function nodesOf(lab: Lab): LabHost[] {
  return lab.hosts.filter(({ role }) => role === 'control-plane' || role === 'worker');
}

/** The image of the bundle's checks, as containerd on the host names it: it has a shell and nslookup. */
async function agnhostOn(host: LabHost): Promise<string> {
  return (await host.exec('ctr -n k8s.io images ls -q | grep agnhost | head -1')).stdout.trim();
}

interface Line {
  /** Seconds since the epoch. */
  at: number;
  told: boolean;
}

/** Queries in a row that were answered. With every second one lost, so many are a matter of one in a million. */
const CALM = 20;

function judge(lines: Line[], since: number): Omit<NamesSeen, 'node'> {
  const after = lines.filter(({ at }) => at >= since);
  const first = after.find(({ told }) => told)?.at;
  const lastLost = after.findLast(({ told }) => !told)?.at;
  return {
    first: first === undefined ? undefined : Math.max(0, first - since),
    lastLost: lastLost === undefined ? 0 : lastLost - since,
  };
}

function observer(node: string, image: string) {
  const ask = `while :; do
  at=$(date +%s)
  if timeout 1 nslookup -type=a kubernetes.default.svc.cluster.local. >/dev/null 2>&1; then echo "$at told"
  else echo "$at lost"; fi
  while [ "$(date +%s)" = "$at" ]; do sleep 0.1; done
done`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `names-${node}`, labels: { test: 'names' } },
    spec: {
      nodeName: node,
      terminationGracePeriodSeconds: 0,
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'ask', image, imagePullPolicy: 'Never', command: ['sh', '-c', ask] }],
    },
  };
}
