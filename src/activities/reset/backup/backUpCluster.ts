import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { BUILD } from '../../../build.js';
import { type ClusterHost, hostsOf } from '../../../cluster/types.js';
import { etcdOf } from '../../../components/registry/plan.js';
import { KubewrightError } from '../../../errors.js';
import { registerSecret } from '../../../hosts/redact.js';
import { lookAtControlPlanes } from '../../kubeadm/control-plane.js';
import { listed } from '../../prepare/checks/problem.js';
import type { Probe, StepContext, StepImplementation } from '../../types.js';
import { isAway } from '../away.js';
import { PACKED, packScript, parsePacked, pieceOf, TOLD } from './script.js';
import { ITERATIONS, sealFile } from './sealed-file.js';

/** Variable of the worker's environment with the passphrase of backups. Without it each backup has a key of its own beside it. */
export const PASSPHRASE_VARIABLE = 'KUBEWRIGHT_BACKUP_PASSPHRASE';

const MANIFEST = 'backup.json';
const KEY = 'backup.key';

/** What `backup.json` says of a backup. No secret. */
export interface BackupManifest {
  cluster: string;
  /** ISO 8601, UTC. */
  at: string;
  build: string;
  run: string;
  /** Hosts that could not be reached: what is on them stays until somebody wipes them. */
  toBeWiped: { name: string; address: string }[];
  /** The command that opens a file of it. */
  open: string;
  files: { host: string; file: string; sha256: string; contentSha256: string; size: number; snapshot: string }[];
}

/**
 * Keeps authorities, keys, manifests and a snapshot of etcd on the worker's machine, encrypted, before anything is taken away. One
 * backup a run, in the state directory.
 */
export const backUpCluster: StepImplementation = {
  async probe(context) {
    const manifest = await readManifest(context);
    if (manifest !== undefined) return kept(context, manifest);
    const sources = await sourcesOf(context);
    if (sources === 'nothing') return { done: true, found: 'nothing of the cluster is there to be kept', changes: [] };
    const from = sources.length === 0 ? 'a control plane' : listed(sources.map(({ name }) => name));
    return {
      done: false,
      found: 'no backup is there',
      changes: [`keep an encrypted backup of ${from} in ${folderOf(context)}`],
    };
  },

  /** @throws KubewrightError KW405 when no control plane can be reached, KW406 when what came is not what a host has packed */
  async apply(context) {
    const sources = await sourcesOf(context);
    if (sources === 'nothing') return;
    if (sources.length === 0) throw noSource();
    const folder = folderOf(context);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { passphrase, open } = await keyOf(context, folder);
    const files: BackupManifest['files'] = [];
    for (const host of sources) files.push(await keep(context, host, folder, passphrase));
    const { cluster, run } = context;
    const manifest: BackupManifest = {
      cluster: cluster.name,
      at: new Date().toISOString(),
      build: BUILD,
      run: run?.runId ?? '',
      toBeWiped: cluster.hosts.flatMap(({ name, address }) => (isAway(context, name) ? [{ name, address }] : [])),
      open,
      files,
    };
    await writeFile(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
  },
};

/** A run that was gone on with finds its backup again, and the next run makes its own. */
function folderOf({ stateDirectory, cluster, run }: StepContext): string {
  return join(stateDirectory, 'backups', `${cluster.name}-reset-${run?.first ?? run?.runId ?? 'no-run'}`);
}

async function readManifest(context: StepContext): Promise<BackupManifest | undefined> {
  try {
    return JSON.parse(await readFile(join(folderOf(context), MANIFEST), 'utf8')) as BackupManifest;
  } catch {
    // Not there, or not whole: it is made anew.
    return undefined;
  }
}

function kept(context: StepContext, { files, open }: BackupManifest): Probe {
  const folder = folderOf(context);
  const place = `${hostname()}:${folder}`;
  const snapshots = files.map(({ host, snapshot }) => `${host} (etcd: ${snapshot})`);
  const beside = open.includes(KEY);
  const leftToDo = beside
    ? `move ${join(folder, KEY)} away from the backup beside it: whoever has both has the keys of the cluster`
    : undefined;
  return {
    done: true,
    found: `the backup of ${listed(snapshots)} is in ${place}`,
    changes: [],
    data: { place, ...(leftToDo === undefined ? {} : { leftToDo }) },
  };
}

/**
 * Hosts whose files are kept: the one that leaves, or a control plane, its API ready if one is, and the host with the authority of an
 * etcd that is not kubeadm's. All control planes have the same keys.
 */
async function sourcesOf(context: StepContext): Promise<ClusterHost[] | 'nothing'> {
  const { cluster, step } = context;
  const there = cluster.hosts.filter(({ name }) => !isAway(context, name));
  const only = step.with?.host;
  if (only !== undefined) {
    const host = there.filter(({ name }) => name === only);
    return host.length === 0 ? 'nothing' : host;
  }
  const controlPlanes = hostsOf(cluster, 'control-plane').filter((host) => there.includes(host));
  const looks = await lookAtControlPlanes(context, controlPlanes);
  const [best] = [
    ...looks.filter(({ state }) => state === 'ready'),
    ...looks.filter(({ state }) => state === 'not-ready'),
  ];
  const etcd = etcdOf(cluster);
  const authority = etcd.byKubeadm ? [] : there.filter(({ role }) => role === etcd.memberRole).slice(0, 1);
  if (best === undefined) return looks.length > 0 && looks.every(({ state }) => state === 'blank') ? 'nothing' : [];
  return [...new Set([best.host, ...authority])];
}

function noSource(): KubewrightError {
  return new KubewrightError('KW405', 'no backup can be made: no control plane with a cluster can be reached', {
    hint: 'Bring one back and retry the step. To give the hosts back without a backup, skip it: certificates, keys and what is in etcd are gone then.',
  });
}

async function keyOf(context: StepContext, folder: string): Promise<{ passphrase: string; open: string }> {
  const opened = (how: string) =>
    `openssl enc -d -aes-256-cbc -pbkdf2 -iter ${ITERATIONS} -pass ${how} -in HOST.tar.gz.enc -out HOST.tar.gz`;
  const given = context.secret(PASSPHRASE_VARIABLE);
  if (given !== undefined) return { passphrase: given, open: opened(`env:${PASSPHRASE_VARIABLE}`) };
  const file = join(folder, KEY);
  // Whoever comes first makes it: a file that was sealed by an earlier attempt is opened by the same key.
  await writeFile(file, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' }).catch(() => {});
  const passphrase = (await readFile(file, 'utf8')).trim();
  registerSecret(passphrase);
  return { passphrase, open: opened(`file:${KEY}`) };
}

async function keep(context: StepContext, host: ClusterHost, folder: string, passphrase: string) {
  const remote = context.hostNamed(host.name);
  await context.durable(`backup-${host.name}`, packScript(context.cluster, host), {
    host: remote,
    timeoutSeconds: 1_800,
    hint: 'The last lines say what failed. Free space below /var/lib there if it was that, then retry the step.',
  });
  const told = parsePacked((await remote.readFile(TOLD))?.toString('utf8') ?? '');
  if (told === undefined) throw notWhole(host.name, 'it does not tell what it has packed');
  const file = `${host.name}.tar.gz.enc`;
  const sealed = await sealFile(join(folder, file), passphrase, pieces());
  if (sealed.contentSha256 !== told.sha256) throw notWhole(host.name, 'what came has another digest');
  await remote.run(`rm -rf -- ${PACKED}\n`, { signal: context.signal });
  return { host: host.name, file, snapshot: told.snapshot, ...sealed };

  async function* pieces(): AsyncGenerator<Buffer> {
    const { pieces: count } = told as NonNullable<typeof told>;
    for (let number = 0; number < count; number++) {
      context.progress(`fetching piece ${number + 1} of ${count} from ${host.name}`);
      const piece = await remote.readFile(pieceOf(number));
      if (piece === undefined) throw notWhole(host.name, `${pieceOf(number)} is gone`);
      yield piece;
    }
  }
}

function notWhole(host: string, why: string): KubewrightError {
  return new KubewrightError('KW406', `the backup of ${host} is not whole: ${why}`, {
    host,
    transient: true,
    hint: 'Nothing was taken away. It is made anew by itself; if it stays so, look at the disk of that host and of this machine.',
  });
}
