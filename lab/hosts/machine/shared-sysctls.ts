import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REGISTRY } from '../paths.js';
import { run } from './run.js';

/**
 * Settings of the machine that all labs need and that no namespace has of its own. The first lab records what they
 * were, the last one puts them back. Callers hold the machine's lock.
 */
const RECORD = join(REGISTRY, 'sysctls.json');

interface Raised {
  original: string;
  /** Put back only while it still has this value: otherwise somebody else has set it since. */
  raised: string;
}

/**
 * Many systemds, kubelets and containerds share one kernel's inotify limits; its defaults are for one of each. So it is with
 * the neighbour table: `gc_thresh3` (1,024) counts the entries of all namespaces together, and 33 hosts that know one another
 * are 1,056 of them. Above it packets between hosts are lost, as if a firewall dropped them.
 */
const LEAST: Record<string, number> = {
  'net/ipv4/neigh/default/gc_thresh3': 65_536,
  'net/ipv4/neigh/default/gc_thresh2': 32_768,
  'net/ipv4/neigh/default/gc_thresh1': 16_384,
  'fs/inotify/max_user_instances': 8192,
  'fs/inotify/max_user_watches': 524_288,
};

/** Raises what is too low, and lets the cards that lead outside forward the hosts' packets. */
export async function raiseSharedSysctls(): Promise<void> {
  const record = await readRecord();
  for (const [key, least] of Object.entries(LEAST)) {
    if (Number(await readSysctl(key)) < least) await raise(record, key, String(least));
  }
  for (const device of await outsideDevices()) {
    const key = forwardingKey(device);
    if ((await readSysctl(key)) !== '1') await raise(record, key, '1');
  }
}

/** Puts back what the record says, unless somebody else has changed it since. */
export async function restoreSharedSysctls(): Promise<void> {
  for (const [key, { original, raised }] of Object.entries(await readRecord())) {
    if ((await readSysctl(key).catch(() => undefined)) === raised) await writeSysctl(key, original);
  }
  await rm(RECORD, { force: true });
}

/** The sysctl that lets one card's packets be routed on; the machine-wide `ip_forward` is left alone. */
export function forwardingKey(device: string): string {
  return `net/ipv4/conf/${device}/forwarding`;
}

export async function writeSysctl(key: string, value: string): Promise<void> {
  await writeFile(`/proc/sys/${key}`, value);
}

async function readSysctl(key: string): Promise<string> {
  return (await readFile(`/proc/sys/${key}`, 'utf8')).trim();
}

async function raise(record: Record<string, Raised>, key: string, value: string): Promise<void> {
  const original = record[key]?.original ?? (await readSysctl(key));
  record[key] = { original, raised: value };
  await writeFile(RECORD, JSON.stringify(record));
  await writeSysctl(key, value);
}

async function readRecord(): Promise<Record<string, Raised>> {
  const text = await readFile(RECORD, 'utf8').catch(() => '{}');
  return JSON.parse(text) as Record<string, Raised>;
}

async function outsideDevices(): Promise<string[]> {
  const routes = JSON.parse(await run('ip', ['-json', '-4', 'route', 'show', 'default'])) as { dev: string }[];
  return [...new Set(routes.map(({ dev }) => dev))];
}
