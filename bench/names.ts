import { execa } from 'execa';
import type { Lab } from '../lab/hosts/index.js';
import { dnsHosts, NameObservers } from '../lab/probes/names.js';

/** How long names were not resolved, over all nodes that were left, in seconds (to one second). */
export interface NamesGap {
  /** Longest time until a first answer. */
  first: number;
  /** Longest time until the last query that was lost. */
  lastLost: number;
}

/**
 * Takes the power of a host with a pod of CoreDNS, and gives it back when every other node has its answers again.
 *
 * @throws Error when a node never got an answer again
 */
export async function loseNames(lab: Lab, kubectlPath: string, kubeconfig: string): Promise<NamesGap> {
  const kubectl = async (args: string[], input?: string) => {
    const options = input === undefined ? ({ stdin: 'ignore' } as const) : { input };
    return (await execa(kubectlPath, ['--kubeconfig', kubeconfig, '--request-timeout=5s', ...args], options)).stdout;
  };
  const cluster = { lab, kubectl };
  const observers = await NameObservers.start(cluster);
  const [name] = await dnsHosts(cluster);
  if (name === undefined) throw new Error(`no pod of CoreDNS is Ready in lab ${lab.name}`);
  const host = lab.host(name);
  const since = Date.now();
  await host.powerOff();
  const seen = await observers.recovery(since, name);
  await host.powerOn();
  await observers.stop();
  const firsts = seen.map(({ node, first }) => {
    if (first === undefined) throw new Error(`no name was resolved on ${node} after ${name} had lost its power`);
    return first;
  });
  return { first: Math.max(...firsts), lastLost: Math.max(...seen.map(({ lastLost }) => lastLost)) };
}
