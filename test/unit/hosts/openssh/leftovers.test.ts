import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, type TestContext, test } from 'vitest';
import { createHosts } from '../../../../src/hosts/index.js';
import { eventually } from '../../eventually.js';
import { notRunHere } from '../../not-run.js';
import { useClient } from '../client.js';
import { Surroundings } from '../ssh-server.js';
import { needsOpenssh, Sshd } from './sshd.js';

useClient('openssh');

const WORKER = fileURLToPath(new URL('./small-worker.ts', import.meta.url));
const LOADER = fileURLToPath(new URL('../../../workflow/typescript-loader.mjs', import.meta.url));

let where: Surroundings;
let sshd: Sshd | undefined;
let sockets: string;

beforeEach((context) => {
  needsOpenssh(context as unknown as TestContext);
  if (!existsSync('/proc/self/cmdline')) notRunHere(context as unknown as TestContext, 'there is no /proc');
  where = new Surroundings();
  // Short, for a socket's path has its bound; of its own, so that whatever is left there is this test's.
  sockets = path.join(where.home, 't');
  mkdirSync(sockets);
});
afterEach(async () => {
  await where?.end();
  await sshd?.stop();
});

/** Command lines of all processes that have something to do with this test's sockets, or with `also`. */
function processes(also?: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
        return line.includes(`${sockets}/kw-`) || (also && line.includes(also)) ? [line] : [];
      } catch {
        return [];
      }
    });
}

async function serve() {
  sshd = await Sshd.start();
  writeFileSync(where.knownHosts, sshd.knownAs);
  return where.cluster(sshd.port, { user: sshd.user, keyFiles: [sshd.keyFile] });
}

const env = (): NodeJS.ProcessEnv => ({ PATH: process.env.PATH, TMPDIR: sockets });

test('a pool that is closed leaves no process and no file; until then they are this user’s alone', async () => {
  const hosts = createHosts(await serve(), { env: env(), homeDirectory: where.home });
  await hosts.get('cp-1').run('true', { root: false });
  const [directory = ''] = readdirSync(sockets);
  expect(statSync(path.join(sockets, directory)).mode & 0o777).toBe(0o700);
  expect(processes().length).toBeGreaterThan(0);
  await hosts.close();
  expect(readdirSync(sockets)).toEqual([]);
  await eventually(() => processes().length === 0, 'no process is left');
});

test('a command line tells nothing of a script and its input', async () => {
  const hosts = createHosts(await serve(), { env: env(), homeDirectory: where.home });
  const gate = path.join(where.home, 'gate');
  const running = hosts.get('cp-1').run(`: canary; cat; until [ -e ${gate} ]; do sleep 0.05; done`, {
    root: false,
    input: 'canary input',
  });
  await eventually(() => processes().some((line) => line.includes('kubewright-open')), 'the command runs');
  expect(processes().join('\n')).not.toContain('canary');
  writeFileSync(gate, '');
  await running;
  await hosts.close();
});

describe('a worker that is killed with -9', () => {
  const ended = (child: ChildProcess): Promise<unknown> => new Promise((resolve) => child.once('exit', resolve));

  async function start(command: string): Promise<ChildProcess> {
    const args = ['--import', LOADER, WORKER, JSON.stringify(await serve()), where.home, command];
    const child = spawn(process.execPath, args, { env: env(), stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await eventually(() => said.includes('connected'), 'the worker is connected', 60_000);
    return child;
  }

  test('leaves nothing: its connection, its channels and its directory go', async () => {
    const started = path.join(where.home, 'started');
    const worker = await start(`touch ${started}; cat >/dev/null; sleep 1`);
    await eventually(() => existsSync(started), 'its command runs');
    expect(processes().filter((line) => line.startsWith('ssh ')).length).toBeGreaterThan(1);
    const gone = ended(worker);
    worker.kill('SIGKILL');
    await gone;
    await eventually(() => processes().length === 0 && readdirSync(sockets).length === 0, 'all of it is gone');
  }, 90_000);

  test('while it still logs in leaves nothing either', async () => {
    // The login hangs in a program of the configuration that hears nothing: it does not see that `ssh` is gone.
    const cluster = await serve();
    const deaf = `sleep 600.${sshd?.port}`;
    const configFile = path.join(where.home, 'config');
    writeFileSync(configFile, `Host *\n  ProxyCommand ${deaf}\n  ConnectTimeout 600\n`, { mode: 0o600 });
    for (const host of cluster.hosts) host.ssh.configFile = configFile;
    const args = ['--import', LOADER, WORKER, JSON.stringify(cluster), where.home, 'true'];
    const worker = spawn(process.execPath, args, { env: env(), stdio: 'ignore' });
    await eventually(() => processes(deaf).some((line) => line.includes(deaf)), 'it logs in', 60_000);
    const gone = ended(worker);
    worker.kill('SIGKILL');
    await gone;
    await eventually(() => processes(deaf).length === 0 && readdirSync(sockets).length === 0, 'all of it is gone');
  }, 90_000);
});
