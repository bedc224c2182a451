import { stringify } from 'yaml';
import { until } from '../../../lab/hosts/machine/run.js';
import type { Installed } from './installed.js';

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
  private constructor(private readonly cluster: Installed) {}

  static async start(cluster: Installed): Promise<NameObservers> {
    const find = 'ctr -n k8s.io images ls -q | grep agnhost | head -1';
    const image = (await cluster.controlPlanes()[0]?.exec(find))?.stdout.trim() ?? '';
    const pods = cluster.nodes().map(({ name }) => observer(name, image));
    await cluster.kubectl(['apply', '-f', '-'], pods.map((pod) => stringify(pod)).join('---\n'));
    const observers = new NameObservers(cluster);
    if (!(await until(() => observers.allAnswered(), 120_000))) throw new Error('DNS does not answer the observers');
    return observers;
  }

  async stop(): Promise<void> {
    await this.cluster.kubectl(['delete', 'pods', '-l', LABEL, '--force', '--grace-period=0']);
  }

  /**
   * Waits until every observer but the one on the lost host has had a row of answers, and tells what each saw.
   *
   * @param since when it was broken, as `Date.now()`
   * @param patienceMs how long, before what was seen until then is told
   */
  async recovery(since: number, lost: string, patienceMs = 120_000): Promise<NamesSeen[]> {
    const names = this.cluster.nodes().flatMap(({ name }) => (name === lost ? [] : [name]));
    const calm = async () => (await Promise.all(names.map((name) => this.#tail(name)))).every(isCalm);
    if (patienceMs > 0) await until(calm, patienceMs);
    return Promise.all(names.map(async (node) => ({ node, ...judge(await this.#lines(node), since / 1_000) })));
  }

  async allAnswered(): Promise<boolean> {
    const tails = await Promise.all(this.cluster.nodes().map(({ name }) => this.#tail(name)));
    return tails.every((lines) => lines.at(-1)?.told === true);
  }

  async #tail(node: string): Promise<Line[]> {
    return (await this.#lines(node)).slice(-CALM);
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

interface Line {
  /** Seconds since the epoch. */
  at: number;
  told: boolean;
}

/** Queries in a row that were answered. With every second one lost, so many are a matter of one in a million. */
const CALM = 20;

function isCalm(lines: Line[]): boolean {
  return lines.length === CALM && lines.every(({ told }) => told);
}

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
