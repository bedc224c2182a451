import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answerOf } from '../../../../../src/activities/check/pod-network/pods.js';
import { reachInput, reachScript } from '../../../../../src/activities/check/pod-network/script.js';

const NODES = ['cp-1', 'w-1', 'w-2'];
const CHECK = 'pods-1';

/** What the fake cluster does otherwise than a good one. */
interface Trouble {
  /** Every so many calls of kubectl fail. */
  failing?: number;
  /** A node whose pod does not start. */
  idle?: string;
  /** A node into whose pod nobody gets. */
  closed?: string;
  policies?: string;
}

describe('the script that has pods ask each other, in a real bash, with real connections', () => {
  let directory: string;
  let port: number;
  const servers: (Server | TcpServer)[] = [];
  const asked: { node: string; padding: number }[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kubewright-reach-'));
    port = 0;
    asked.length = 0;
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      if ('closeAllConnections' in server) server.closeAllConnections();
      server.close();
    }
    await rm(directory, { recursive: true });
  });

  /** The nth node's pod has 127.0.0.(n + 1). */
  const addressOf = (node: string) => `127.0.0.${NODES.indexOf(node) + 2}`;

  async function listen(node: string, server: Server | TcpServer): Promise<void> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(port, addressOf(node), resolve));
    port = (server.address() as { port: number }).port;
  }

  function answering(node: string, answer = answerOf(CHECK, node)): Promise<void> {
    const server = createServer({ maxHeaderSize: 65_536 }, (request, response) => {
      asked.push({ node, padding: String(request.headers['x-padding']).length });
      response.end(answer);
    });
    return listen(node, server);
  }

  /** Takes connections, and lets nothing large through. */
  function narrow(node: string): Promise<void> {
    return listen(
      node,
      createTcpServer((socket) => socket.on('error', () => undefined)),
    );
  }

  /** A kubectl with pods that are the servers of this test; into a pod it goes by a shell of this machine. */
  async function run({ failing = 1_000, idle = '', closed = '', policies = '' }: Trouble = {}) {
    const lines = NODES.map((node) => {
      const state = node === idle ? 'False||ErrImageNeverPull' : `True|${addressOf(node)}|`;
      return `echo "${node}|kubewright-${CHECK}-${node}|${state}"`;
    });
    const stub = `#!/bin/bash
cd ${directory}; echo "$*" >>calls
case " $* " in
  *' exec kubewright-${CHECK}-${closed} '*) echo 'error: unable to upgrade connection' >&2; exit 1 ;;
  *' exec '*) shift 7; exec "$@" ;;
esac
if [ $(($(wc -l <calls) % ${failing})) = 0 ]; then echo "w-9|wrong|True|127.0.0.9|"; echo 'etcdserver: leader changed' >&2; exit 1; fi
case " $* " in
  *' apply '*) cat >made ;;
  *' delete '*'=${CHECK} '*) rm -f made ;;
  *' get pods '*) ${lines.join('; ')} ;;
  *' get networkpolicies '*) printf '${policies}' ;;
  *' wait '*) [ -z '${idle}' ] ;;
esac
`;
    await writeFile(join(directory, 'kubectl'), stub, { mode: 0o755 });
    const text = reachScript({
      kubectl: 'kubectl --kubeconfig=x --request-timeout=10s',
      check: CHECK,
      pods: NODES.length,
      patienceSeconds: 1,
    });
    const script = text.replaceAll(':8080/', `:${port}/`).replaceAll('--max-time 8', '--max-time 1');
    const peers = new Map(NODES.map((node) => [node, NODES.filter((other) => other !== node)]));
    const options = { env: { PATH: `${directory}:/usr/bin:/bin` }, reject: false } as const;
    const input = reachInput(peers, 'kind: Pod\n');
    const result = await execa('bash', ['--norc', '-c', script], { ...options, input });
    expect(await readdir(directory), 'the pods are taken away').not.toContain('made');
    return { ...result, lines: result.stdout.split('\n').sort() };
  }

  test('says nothing where each pod reaches each other one, with what fills more than two large packets', async () => {
    for (const node of NODES) await answering(node);
    expect(await run()).toMatchObject({ exitCode: 0, stdout: '' });
    expect(asked).toHaveLength(6);
    expect(new Set(asked.map(({ padding }) => padding))).toEqual(new Set([20_000]));
    const calls = await readFile(join(directory, 'calls'), 'utf8');
    expect(calls).not.toContain('networkpolicies');
  });

  test('is not led astray by every third call that fails', async () => {
    for (const node of NODES) await answering(node);
    expect(await run({ failing: 3 })).toMatchObject({ exitCode: 0, stdout: '' });
  });

  test('names who does not reach whom, and how', async () => {
    await answering('cp-1');
    await narrow('w-1');
    const { exitCode, lines } = await run();
    expect(exitCode).toBe(0);
    expect(lines).toEqual([
      'kubewright-unreached: cp-1 w-1 large',
      'kubewright-unreached: cp-1 w-2 refused',
      'kubewright-unreached: w-1 w-2 refused',
      'kubewright-unreached: w-2 w-1 large',
    ]);
  });

  test('takes no other pod’s answer for that of the one that it asked', async () => {
    for (const node of NODES) await answering(node, answerOf(CHECK, 'w-1'));
    const { lines } = await run();
    expect(lines).toEqual([
      'kubewright-unreached: cp-1 w-2 foreign',
      'kubewright-unreached: w-1 cp-1 foreign',
      'kubewright-unreached: w-1 w-2 foreign',
      'kubewright-unreached: w-2 cp-1 foreign',
    ]);
  });

  test('goes on without a pod that does not start, and without one that nobody gets into', async () => {
    for (const node of NODES) await answering(node);
    const { exitCode, lines } = await run({ idle: 'w-1', closed: 'w-2' });
    expect(exitCode).toBe(0);
    expect(lines).toEqual([
      'kubewright-idle: w-1 ErrImageNeverPull',
      'kubewright-unasked: w-2 error: unable to upgrade connection',
    ]);
    expect(asked.map(({ node }) => node)).toEqual(['w-2']);
  });

  test('asks for policies where somebody was not reached', async () => {
    await answering('cp-1');
    await answering('w-1');
    const { lines } = await run({ policies: 'kubewright-policy: deny {}\\n' });
    expect(lines[0]).toBe('kubewright-policy: deny {}');
  });

  test('says that it could not ask, where no call succeeds', async () => {
    await answering('cp-1');
    expect(await run({ failing: 1 })).toMatchObject({
      exitCode: 75,
      stderr: expect.stringContaining('leader changed'),
    });
  });
});
