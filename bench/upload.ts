import { createHash, randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { Lab } from '../lab/hosts/index.js';
import { loadCluster } from '../src/cluster/load.js';
import { createHosts, type Hosts, type Upload } from '../src/hosts/index.js';
import { median } from './shell.js';

export interface UploadFigures {
  /** Throughput of Kubewright's uploads over that of scp; verified by SHA-256 on the host here, not verified there. */
  ratio: number;
  /** MiB/s, all hosts together. */
  kubewright: number;
  scp: number;
  hosts: number;
}

const MEBIBYTES = 200;
/** Both ways turn by turn, in changing order, so that neither always follows the other's writes to disk. */
const ROUNDS = 4;
/** Below Kubewright's own directory, where files are not forced to disk before they count; scp never does that. */
const TARGET = '/var/lib/kubewright/upload-bench';

/**
 * Uploads one file to every host of a lab at once, by Kubewright and by one scp a host, several times.
 *
 * @returns medians; the hosts hold nothing of it afterwards
 */
export async function measureUploads(lab: Lab): Promise<UploadFigures> {
  const { cluster } = await loadCluster(lab.files.clusterFile);
  const hosts = createHosts(cluster, { env: process.env, homeDirectory: homedir() });
  const source = join(tmpdir(), `kubewright-upload-bench-${process.pid}`);
  try {
    const file = await makeFile(source);
    const names = cluster.hosts.map(({ name }) => name);
    const ways = [
      { seconds: [] as number[], run: (name: string) => hosts.get(name).upload([file]) },
      { seconds: [] as number[], run: (name: string) => scp(lab, source, name) },
    ];
    for (let round = 0; round < ROUNDS; round++) {
      for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
        await clear(hosts, names);
        const began = performance.now();
        await Promise.all(names.map((name) => way.run(name)));
        way.seconds.push((performance.now() - began) / 1_000);
      }
    }
    await clear(hosts, names);
    const [kubewright = 0, other = 0] = ways.map(({ seconds }) => (MEBIBYTES * names.length) / median(seconds));
    return { ratio: kubewright / other, kubewright, scp: other, hosts: names.length };
  } finally {
    await hosts.close();
    await rm(source, { force: true });
  }
}

/** Random bytes: nothing on the way can save itself work by compressing or by leaving holes. */
async function makeFile(source: string): Promise<Upload> {
  const hash = createHash('sha256');
  const handle = await open(source, 'w', 0o600);
  for (let piece = 0; piece < MEBIBYTES; piece++) {
    const bytes = randomBytes(1_048_576);
    hash.update(bytes);
    await handle.write(bytes);
  }
  await handle.close();
  return { source, target: TARGET, sha256: hash.digest('hex'), size: MEBIBYTES * 1_048_576, mode: 0o600 };
}

async function scp(lab: Lab, source: string, name: string): Promise<void> {
  await execa('scp', ['-F', lab.files.sshConfig, '-q', source, `${name}:${TARGET}`]);
}

/** Also keeps the connections open: what is compared is throughput, not handshakes, of which scp needs one a file. */
async function clear(hosts: Hosts, names: string[]): Promise<void> {
  await Promise.all(
    names.map((name) =>
      hosts.get(name).run(`mkdir -p ${dirname(TARGET)}; rm -f ${TARGET}; sync -f /var`, { timeoutMs: 120_000 }),
    ),
  );
}
