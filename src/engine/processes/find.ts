import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

export interface FoundProcess {
  pid: number;
  argv: string[];
}

/**
 * Running processes whose arguments match: how a process is found again whose record was lost. On Linux the arguments
 * are exact; elsewhere `ps` joins them with spaces, so what is looked for should hold none.
 */
export async function findProcesses(matches: (argv: string[]) => boolean): Promise<FoundProcess[]> {
  const all = process.platform === 'linux' ? await linuxProcesses() : await psProcesses();
  return all.filter((candidate) => candidate.pid !== process.pid && matches(candidate.argv));
}

async function linuxProcesses(): Promise<FoundProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return { pid: Number(pid), argv: text.split('\0').filter((part) => part !== '') };
    }),
  );
}

async function psProcesses(): Promise<FoundProcess[]> {
  const { stdout } = await execa('ps', ['-axo', 'pid=,args='], { reject: false });
  return (stdout ?? '').split('\n').map((line) => {
    const [pid, ...argv] = line.trim().split(/\s+/);
    return { pid: Number(pid), argv };
  });
}

/**
 * Whether the process has this very file open. A file that was deleted under its process counts as not open: the
 * process works on something that nobody can find again. Where the system does not tell, true.
 */
export async function hasOpen(pid: number, path: string): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const directory = `/proc/${pid}/fd`;
  const names = await readdir(directory).catch(() => undefined);
  if (names === undefined) return true;
  const targets = await Promise.all(names.map((name) => readlink(join(directory, name)).catch(() => '')));
  return targets.includes(path);
}
