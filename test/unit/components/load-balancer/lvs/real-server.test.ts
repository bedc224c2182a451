import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClusterHost } from '../../../../../src/cluster/types.js';
import { renderRealServerScript } from '../../../../../src/components/load-balancer/lvs/render/real-server.js';
import { eventually } from '../../../eventually.js';
import { lvsCluster } from './lvs-cluster.js';

/** The script in a real bash, on a host whose `ip` keeps addresses in a file and whose seconds are short. */
let home: string;
let server: Server | undefined;
let running: ReturnType<typeof spawn> | undefined;

/** What stands in for the API server's answer; `openssl` passes it on as it is. */
let answer: string;

const IP = `#!/bin/bash
echo "$*" >>"$STATE/calls"
case "$*" in
  *'address show'*) [ ! -e "$STATE/vip" ] || echo '1: lo    inet 10.88.0.100/32 scope host lo' ;;
  'address add 10.88.0.100/32 dev lo scope host') : >"$STATE/vip" ;;
  'address delete 10.88.0.100/32 dev lo') rm "$STATE/vip" ;;
  *) exit 2 ;;
esac
`;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'kubewright-real-server-'));
  answer = 'HTTP/1.0 200 OK';
  mkdirSync(join(home, 'bin'));
  mkdirSync(join(home, 'all'));
  writeFileSync(join(home, 'all/arp_ignore'), '1\n');
  writeFileSync(join(home, 'all/arp_announce'), '2\n');
  program('ip', IP);
  program('sleep', '#!/bin/bash\nexec /bin/sleep 0.02\n');
  program('openssl', '#!/bin/bash\nexec 3<>"/dev/tcp/127.0.0.1/$PORT"; cat >&3; cat <&3\n');
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(`${answer}\r\n\r\nok`));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  running?.kill('SIGKILL');
  server?.close();
  rmSync(home, { recursive: true, force: true });
});

function program(name: string, text: string): void {
  writeFileSync(join(home, 'bin', name), text);
  chmodSync(join(home, 'bin', name), 0o755);
}

function scriptAt(port: number): string {
  const cluster = lvsCluster();
  const host = { ...(cluster.hosts[0] as ClusterHost), address: '127.0.0.1' };
  cluster.kubernetes.apiServer.port = port;
  return renderRealServerScript(cluster, host).replaceAll('/proc/sys/net/ipv4/conf/all', join(home, 'all'));
}

const port = () => (server?.address() as AddressInfo | null)?.port ?? 1;
const env = () => ({ PATH: `${join(home, 'bin')}:${process.env.PATH}`, STATE: home, PORT: String(port()) });

function follow(): void {
  running = spawn('bash', ['-c', scriptAt(port())], { env: env(), stdio: 'ignore' });
}

const hasVip = () => existsSync(join(home, 'vip'));
const calls = () => (existsSync(join(home, 'calls')) ? readFileSync(join(home, 'calls'), 'utf8') : '');
const asked = () => calls().split('\n').length;

describe('the virtual IP', () => {
  test('comes when the API server is ready, and not before', async () => {
    answer = 'HTTP/1.0 500 Internal Server Error';
    follow();
    // It looks for the address each time that it would have to take it away: after five failures.
    await eventually(() => asked() > 3, 'it looks for the address again and again');
    expect(hasVip()).toBe(false);
    answer = 'HTTP/1.0 200 OK';
    await eventually(hasVip, 'the address is there');
  });

  test('comes where the API server tells nobody without a name whether it is ready', async () => {
    answer = 'HTTP/1.0 401 Unauthorized';
    follow();
    await eventually(hasVip, 'the address is there');
  });

  test('does not come while the API server has not read its own rules', async () => {
    answer = 'HTTP/1.0 403 Forbidden';
    follow();
    await eventually(() => asked() > 3, 'it looks for the address again and again');
    expect(hasVip()).toBe(false);
  });

  test('goes when the API server has gone, and comes again with it', async () => {
    follow();
    await eventually(hasVip, 'the address is there');
    const at = port();
    await new Promise((resolve) => server?.close(resolve));
    await eventually(() => !hasVip(), 'the address is gone');
    await new Promise<void>((resolve) => server?.listen(at, '127.0.0.1', resolve));
    await eventually(hasVip, 'the address is there');
  });

  test('stays through one bad answer', async () => {
    let left = 1;
    server?.removeAllListeners('connection');
    let answered = 0;
    server?.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        answered += 1;
        socket.end(`HTTP/1.0 ${answered > 2 && left-- > 0 ? '500 No' : '200 OK'}\r\n\r\n`);
      });
    });
    follow();
    await eventually(() => answered > 8, 'it asks on');
    expect(calls()).not.toContain('address delete');
  });

  test.each([
    ['arp_ignore', '0'],
    ['arp_announce', '1'],
  ])('is not added where %s is %s: this host would take it from the director', async (name, value) => {
    writeFileSync(join(home, 'all', name), `${value}\n`);
    follow();
    await eventually(() => asked() > 3, 'it looks for the address again and again');
    expect(hasVip()).toBe(false);
  });

  test('goes with the service, as systemd stops it', async () => {
    follow();
    await eventually(hasVip, 'the address is there');
    const ended = new Promise((resolve) => running?.once('exit', resolve));
    running?.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(hasVip()).toBe(false);
  });
});
