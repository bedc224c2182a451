import { KubewrightError } from '../../../src/errors.js';
import type { LabRecord } from '../types.js';
import { inSwitch, switchPid } from './switch.js';

/** What the bridge drops at this moment, by ports: see `faultTable`. */
export interface Cuts {
  /** Ports that nothing passes. */
  whole: string[];
  /** Pairs of ports between which nothing passes; each pair stands in both directions. */
  pairs: [string, string][];
}

export async function readCuts(lab: LabRecord): Promise<Cuts> {
  const pid = await requireSwitch(lab);
  const elements = async (set: string): Promise<unknown[]> => {
    const text = await inSwitch(pid, 'nft', ['--json', 'list', 'set', 'bridge', 'lab', set]);
    const { nftables } = JSON.parse(text) as { nftables: { set?: { elem?: unknown[] } }[] };
    return nftables.find((item) => item.set)?.set?.elem ?? [];
  };
  const [whole, pairs] = await Promise.all([elements('cut'), elements('cut_pairs')]);
  return {
    whole: whole as string[],
    pairs: (pairs as { concat: [string, string] }[]).map((pair) => pair.concat),
  };
}

/** Cuts a port off, or two from each other. */
export async function addCut(lab: LabRecord, port: string, other?: string): Promise<void> {
  await nft(
    lab,
    other === undefined
      ? [`add element bridge lab cut { "${port}" }`]
      : [`add element bridge lab cut_pairs { "${port}" . "${other}", "${other}" . "${port}" }`],
  );
}

/** Undoes every cut that concerns a port, all at once. */
export async function removeCuts(lab: LabRecord, port: string): Promise<void> {
  const { whole, pairs } = await readCuts(lab);
  await nft(lab, [
    ...(whole.includes(port) ? [`delete element bridge lab cut { "${port}" }`] : []),
    ...pairs
      .filter((pair) => pair.includes(port))
      .map(([one, other]) => `delete element bridge lab cut_pairs { "${one}" . "${other}" }`),
  ]);
}

/**
 * Takes a port off the bridge, as when the cable is pulled out; its own card stays up. The next power-on makes a new port.
 * Nothing happens when the port or the lab's network is gone.
 */
export async function unplug(lab: LabRecord, port: string): Promise<void> {
  const pid = await switchPid(lab.cgroups);
  if (pid !== undefined) await inSwitch(pid, 'ip', ['link', 'set', 'dev', port, 'nomaster']).catch(() => {});
}

/** @throws KW621 when the lab's network is gone */
export async function requireSwitch(lab: LabRecord): Promise<number> {
  const pid = await switchPid(lab.cgroups);
  if (pid !== undefined) return pid;
  throw new KubewrightError(
    'KW621',
    `The network of lab ${lab.name} is gone: the machine was restarted, or its process killed.`,
    { hint: `kubewright lab down --name ${lab.name}, then lab up again.` },
  );
}

async function nft(lab: LabRecord, commands: string[]): Promise<void> {
  if (commands.length === 0) return;
  await inSwitch(await requireSwitch(lab), 'nft', ['-f', '-'], `${commands.join('\n')}\n`);
}
