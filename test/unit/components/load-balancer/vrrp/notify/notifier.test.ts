import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClusterHost } from '../../../../../../src/cluster/types.js';
import { renderNotifier } from '../../../../../../src/components/load-balancer/vrrp/notify/render/notifier.js';
import type { NotifySettings } from '../../../../../../src/components/load-balancer/vrrp/notify/settings.js';
import { clusterOf } from '../../../../cluster-fixture.js';
import { eventually } from '../../../../eventually.js';
import { expectGolden } from '../../../../render/golden.js';

const WEBHOOK = { url: 'https://hooks.example.org/vip', urlEnv: null, tokenEnv: null, ca: null };
const MAIL = { to: ['ops@example.org', 'night@example.org'], from: 'kubewright@example.org', smtp: null };
const NOTIFY: NotifySettings = {
  webhook: WEBHOOK,
  mail: MAIL,
  command: ['/usr/local/sbin/on-change', "it's", '$HOME'],
};

/** cp-2 of three control planes, whose addresses are of this machine's loopback. */
function scriptOf(notify: NotifySettings = { ...NOTIFY, mail: null, command: null }, port = 8443): string {
  const cluster = clusterOf({ controlPlanes: 3, workers: 0 });
  cluster.hosts.forEach((host, index) => {
    host.address = `127.0.0.${11 + index}`;
  });
  cluster.endpoint.port = port;
  return renderNotifier(cluster, cluster.hosts[1] as ClusterHost, notify);
}

let root: string;
const path = (name: string): string => join(root, name);
const read = (name: string): string => (existsSync(path(name)) ? readFileSync(path(name), 'utf8') : '');

function program(name: string, body: string): void {
  writeFileSync(path(`bin/${name}`), `#!/bin/bash\n${body}\n`);
  chmodSync(path(`bin/${name}`), 0o755);
}

/** What `ip` says: who has the virtual IP, by the neighbour table's hardware addresses, and what state the entry is in. */
function holds(host: 'cp-1' | 'cp-2' | 'cp-3' | 'nobody' | 'a stranger', state = 'REACHABLE'): void {
  const macs = { 'cp-1': '52:54:00:00:00:11', 'cp-3': '52:54:00:00:00:13', 'a stranger': '52:54:00:ff:ff:ff' };
  writeFileSync(path('local'), host === 'cp-2' ? '2: eth0    inet 10.88.0.100/32 scope global eth0\n' : '');
  const mac = host === 'nobody' || host === 'cp-2' ? '' : macs[host];
  writeFileSync(
    path('entry'),
    mac === '' ? '10.88.0.100 dev eth0  FAILED\n' : `10.88.0.100 dev eth0 lladdr ${mac} ${state} \n`,
  );
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kubewright-notifier-'));
  mkdirSync(path('bin'));
  writeFileSync(path('installed'), '');
  program(
    'ip',
    `case "$*" in
  '-o -4 address show to 10.88.0.100') cat ${path('local')} ;;
  '-4 neighbour show to 10.88.0.100') cat ${path('entry')} ;;
  '-4 neighbour show to 127.0.0.11') echo '127.0.0.11 dev eth0 lladdr 52:54:00:00:00:11 STALE ' ;;
  '-4 neighbour show to 127.0.0.13') echo '127.0.0.13 dev eth0 lladdr 52:54:00:00:00:13 DELAY' ;;
  *'nud probe') echo "$*" >>${path('probes')}; sed -i s/STALE/REACHABLE/ ${path('entry')} ;;
esac`,
  );
  program(
    'curl',
    `echo "$*" >>${path('calls')}; cat >>${path('posted')}; ! [ -e ${path('unreachable')} ] || { echo 'curl: (7) Failed to connect' >&2; exit 7; }`,
  );
  program('ping', 'exit 1');
  program('sleep', `echo "$1" >>${path('sleeps')}; exec /bin/sleep 0.01`);
});

const running: ChildProcess[] = [];
const servers: Server[] = [];
const pipes: FileHandle[] = [];

afterEach(async () => {
  for (const child of running.splice(0)) process.kill(-(child.pid as number), 'SIGKILL');
  for (const pipe of pipes.splice(0)) await pipe.close();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  rmSync(root, { recursive: true, force: true });
});

const environment = () => ({
  PATH: `${path('bin')}:/usr/bin:/bin`,
  EVENTS: path('events'),
  MEMORY: path('holder'),
  INSTALLED: path('installed'),
  // This machine may be busy.
  PATIENCE: '15',
});

/** The whole program, with a pipe into which keepalived's words are written. */
async function start(script = scriptOf()): Promise<(state: string) => Promise<void>> {
  writeFileSync(path('notify-vip'), script, { mode: 0o755 });
  if (!existsSync(path('events'))) await execa('mkfifo', [path('events')]);
  const out = await open(path('journal'), 'a');
  const child = spawn(path('notify-vip'), { env: environment(), detached: true, stdio: ['ignore', out.fd, out.fd] });
  running.push(child);
  await out.close();
  const pipe = await open(path('events'), 'r+');
  pipes.push(pipe);
  return (state) => pipe.writeFile(`INSTANCE "kubernetes_api" ${state} 210\n`).then(() => undefined);
}

/** Runs some of its functions. */
async function functions(commands: string, script = scriptOf()): Promise<string> {
  writeFileSync(path('notify-vip'), script);
  const { stdout } = await execa('bash', ['-c', `source ${path('notify-vip')}; ${commands}`], { env: environment() });
  return stdout;
}

const posted = () =>
  read('posted')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
const remembered = (name: string) => eventually(() => read('holder') === `${name}\n`, `remembers ${name}`);
const journal = (words: string) => eventually(() => read('journal').includes(words), words);

/** A HAProxy on a control plane that leads to an API server, or to none. */
async function haproxyAt(address: string, answer: string | undefined): Promise<number> {
  const server = createServer((socket: Socket) => {
    socket.on('error', () => undefined);
    if (answer === undefined) socket.destroy();
    else socket.once('data', () => socket.end(answer));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return (server.address() as { port: number }).port;
}

const WANTS_TLS = 'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';

test('the program is a file with the settings of its host and without a secret', () => {
  const cluster = clusterOf({ controlPlanes: 3, workers: 1 });
  const text = renderNotifier(cluster, cluster.hosts[0] as ClusterHost, {
    ...NOTIFY,
    webhook: { ...WEBHOOK, url: 'https://hooks.example.org/secret-path', tokenEnv: 'VIP_TOKEN' },
  });
  expectGolden('notify-vip', text);
  expect(text).not.toMatch(/secret-path|VIP_TOKEN/);
});

describe('a change', () => {
  test('is posted once by the host that has the virtual IP now, with who had it before', async () => {
    holds('cp-1');
    const says = await start();
    await says('BACKUP');
    await remembered('cp-1');
    holds('cp-2');
    await says('MASTER');
    await journal('told by webhook');
    expect(posted()).toEqual([
      {
        text: '10.88.0.100 of the cluster demo is on cp-2 now, before on cp-1: HAProxy on cp-1 does not run: its port 8443 is closed',
        id: expect.stringMatching(/^demo-cp-2-\d+$/),
        cluster: 'demo',
        vip: '10.88.0.100',
        port: 8443,
        holder: { name: 'cp-2', address: '127.0.0.12' },
        previous: { name: 'cp-1', address: '127.0.0.11' },
        reason: { code: 'haproxy-down', text: 'HAProxy on cp-1 does not run: its port 8443 is closed' },
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      },
    ]);
    expect(read('calls')).toBe('--disable --config /etc/kubewright/vip-notify/webhook.curl --data-binary @-\n');
    expect(read('holder')).toBe('cp-2\n');
  });

  test('is none when the host gets back what nobody else had, as after a restart of keepalived alone', async () => {
    writeFileSync(path('holder'), 'cp-2\n');
    holds('nobody');
    const says = await start();
    await says('BACKUP');
    await says('MASTER');
    await journal('cp-2 has 10.88.0.100 again');
    expect(read('calls')).toBe('');
  });

  test('is none before the first install has ended: it took the virtual IP at the start', async () => {
    rmSync(path('installed'));
    holds('cp-3');
    const says = await start();
    await remembered('cp-3');
    await says('MASTER');
    await journal('nobody is told before the first install has ended');
    expect(read('calls')).toBe('');
    expect(read('holder')).toBe('cp-2\n');
  });

  test('of others is remembered, and told by nobody here', async () => {
    holds('cp-1');
    const says = await start();
    await remembered('cp-1');
    holds('cp-3');
    await says('BACKUP');
    await remembered('cp-3');
    expect(read('calls')).toBe('');
  });

  test('that was written while the program did not run is told when it does', async () => {
    await execa('mkfifo', [path('events')]);
    const keepalived = await open(path('events'), 'r+');
    await keepalived.writeFile('INSTANCE "kubernetes_api" MASTER 210\n');
    writeFileSync(path('holder'), 'cp-3\n');
    holds('cp-2');
    await start();
    await journal('told by webhook');
    expect(posted()).toMatchObject([{ previous: { name: 'cp-3' } }]);
    await keepalived.close();
  });
});

test('a program that is started beside an address that is there takes it for no change', async () => {
  holds('cp-2');
  await start();
  await remembered('cp-2');
  expect(read('calls')).toBe('');
});

test('an entry of the neighbour table that nobody confirmed is asked anew before it counts', async () => {
  holds('cp-3', 'STALE');
  await start();
  await remembered('cp-3');
  expect(read('probes')).toBe('-4 neighbour change 10.88.0.100 dev eth0 nud probe\n');
});

test('a holder that is no control plane is not named', async () => {
  holds('a stranger');
  const says = await start();
  await remembered('?');
  await says('MASTER');
  await journal('told by webhook');
  expect(posted()).toMatchObject([{ previous: null }]);
});

test('a webhook that does not answer is tried five times with the same id, further and further apart, then given up', async () => {
  writeFileSync(path('unreachable'), '');
  holds('cp-1');
  const says = await start();
  await remembered('cp-1');
  await says('MASTER');
  await journal('<4>webhook failed 5 times and is given up for demo-cp-2-');
  expect(read('journal')).toContain('curl: (7) Failed to connect');
  expect(posted()).toHaveLength(5);
  expect(new Set(posted().map(({ id }) => id)).size).toBe(1);
  // The first is before the host that had it is asked a second time.
  expect(read('sleeps')).toBe('15\n5\n10\n20\n40\n');
});

test('no more than four changes are on their way at once: a virtual IP that flaps fills no host with processes', async () => {
  program('curl', 'exec /bin/sleep 60');
  holds('nobody');
  const says = await start();
  for (let change = 0; change < 5; change += 1) {
    writeFileSync(path('entry'), '10.88.0.100 dev eth0 lladdr 52:54:00:00:00:11 REACHABLE \n');
    writeFileSync(path('local'), '');
    await says('BACKUP');
    await remembered('cp-1');
    holds('cp-2');
    await says('MASTER');
    await remembered('cp-2');
  }
  await journal('<4>cp-2 took 10.88.0.100; nobody is told, for 4 earlier changes are still on their way');
});

describe('each channel', () => {
  const tell = (notify: NotifySettings) => functions('holder=cp-2; tell "?"', scriptOf(notify));

  test('gets the change: a command as its arguments stand in the file, the JSON as its input', async () => {
    program('on-change', `printf '%s\\n' "$@" >${path('arguments')}; cat >${path('input')}`);
    await tell({ webhook: null, mail: null, command: [path('bin/on-change'), "it's", '$HOME', ''] });
    expect(read('arguments')).toBe("it's\n$HOME\n\n");
    expect(JSON.parse(read('input'))).toMatchObject({ holder: { name: 'cp-2' } });
  });

  test('a mail by the host’s own program', async () => {
    program('sendmail', `echo "$*" >${path('arguments')}; cat >${path('mail')}`);
    await tell({ webhook: null, mail: MAIL, command: null });
    expect(read('arguments')).toBe('-i -t\n');
    const [head = '', ...body] = read('mail').split('\n\n');
    expect(head.split('\n')).toEqual(
      expect.arrayContaining([
        'From: kubewright@example.org',
        'To: ops@example.org, night@example.org',
        'Subject: [demo] 10.88.0.100 is on cp-2 now',
      ]),
    );
    expect(body.join('\n')).toContain('10.88.0.100 of the cluster demo is on cp-2 now');
  });

  test('and one that fails keeps none of the others', async () => {
    program('curl', 'exit 7');
    program('on-change', `cat >${path('input')}`);
    await tell({ webhook: WEBHOOK, mail: null, command: [path('bin/on-change')] });
    expect(JSON.parse(read('input'))).toMatchObject({ cluster: 'demo' });
  });
});

describe('why', () => {
  const why = (former: string, port: number, before = '') =>
    functions(`${before}\nreason_for '${former}'`, scriptOf(NOTIFY, port));

  test('a host that goes before is back', async () => {
    const port = await haproxyAt('127.0.0.13', WANTS_TLS);
    expect(await why('cp-3', port)).toBe(
      'higher-priority cp-2 goes before cp-3 (priority 210, cp-3 has 170) and is back',
    );
  });

  test('keepalived was stopped where all else answers', async () => {
    const port = await haproxyAt('127.0.0.11', WANTS_TLS);
    expect(await why('cp-1', port)).toMatch(/^gave-up cp-1 answers, and so does its HAProxy/);
  });

  test('HAProxy has nothing behind it', async () => {
    const port = await haproxyAt('127.0.0.11', undefined);
    expect(await why('cp-1', port)).toBe('no-api-server HAProxy on cp-1 has no API server that answers');
  });

  test('the host is gone, or its HAProxy alone', async () => {
    const silent = 'knock() { echo silent; }';
    expect(await why('cp-1', 8443, silent)).toMatch(/^host-gone cp-1 does not answer/);
    program('ping', 'exit 0');
    expect(await why('cp-1', 8443, silent)).toMatch(/^haproxy-silent HAProxy on cp-1/);
  });

  test('the host goes down, and its programs were the first to end', async () => {
    const goesDown =
      'knock() { if [ -e "$MEMORY.asked" ]; then echo silent; else : >"$MEMORY.asked"; echo closed; fi; }';
    expect(await why('cp-1', 8443, goesDown)).toMatch(/^host-gone cp-1 does not answer/);
  });

  test('of a holder that nobody knows is looked for at those that go before', async () => {
    expect(await why('?', 8443)).toMatch(/^haproxy-down HAProxy on cp-1 does not run/);
    const port = await haproxyAt('127.0.0.11', WANTS_TLS);
    expect(await why('?', port)).toBe('unknown the reason is not known');
  });
});
