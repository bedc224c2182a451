import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { flowsOf } from '../../../../../src/activities/prepare/reach/flows.js';
import { askReach } from '../../../../../src/activities/prepare/reach/index.js';
import { reachScript } from '../../../../../src/activities/prepare/reach/program.js';
import type { Cluster } from '../../../../../src/cluster/types.js';
import type { CommandResult, RemoteHost } from '../../../../../src/hosts/types.js';
import { clusterOf } from '../../../cluster-fixture.js';

/** The program as it is, in a real bash and perl, with addresses of the loopback for hosts. */
const isRoot = process.getuid?.() === 0;

function runHere(script: string): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = execFile('bash', ['--norc', '-s'], (error, stdout, stderr) =>
      resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr, durationMs: 0 }),
    );
    child.stdin?.end(script);
  });
}

async function lines(mode: 'listen' | 'probe' | 'collect', orders: string[]): Promise<string[]> {
  const { stdout, stderr } = await runHere(reachScript(mode, orders));
  expect(stderr).toBe('');
  return stdout.split('\n').filter(Boolean);
}

let token = 0;
const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((closed) => server.close(closed))));
});

/** Each test is a run of its own: listeners are found by the token. */
function who(self: number): string[] {
  return [`token test-${process.pid}-${token}`, `self ${self}`, `address 127.88.0.${self + 1}`];
}

async function somebodyElse(port: number, says: string): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => undefined).end(says));
  servers.push(server);
  await new Promise<void>((listening) => server.listen(port, '127.88.0.1', listening));
}

const PORT = 26_443;

describe('the program that hosts run', () => {
  it('tells who answered: our listener, another host, somebody else, nobody', async () => {
    token++;
    await somebodyElse(PORT + 1, 'HTTP/1.1 400 Bad Request\r\n');
    await somebodyElse(PORT + 2, '');
    expect(
      await lines('listen', [...who(0), 'life 20', `tcp ${PORT}`, `tcp ${PORT + 1}`, `tcp ${PORT + 3} /etc/passwd`]),
    ).toEqual([`listening ${PORT}`, `taken ${PORT + 1}`, `quiet ${PORT + 3}`, 'ready']);
    const asked = [`${PORT} 0`, `${PORT} 7`, `${PORT + 1} 0`, `${PORT + 1} -`, `${PORT + 2} 0`, `${PORT + 3} -`];
    const orders = asked.map((order, id) => `tcp ${id} 127.88.0.1 ${order}`);
    expect((await lines('probe', [...who(1), 'patience 5', ...orders])).sort()).toEqual([
      'end',
      'tcp 0 ok',
      expect.stringMatching(/^tcp 1 wrong kubewright test-\S+ 0\?$/),
      'tcp 2 wrong HTTP/1.1 400 Bad Request??',
      'tcp 3 ok',
      'tcp 4 silent',
      'tcp 5 refused',
    ]);
    expect(await lines('collect', who(0))).toEqual(['end']);
    expect(await lines('collect', who(0))).toEqual(['gone']);
  });

  it('gives its ports back: another program may bind them at once', async () => {
    token++;
    await lines('listen', [...who(0), 'life 20', `tcp ${PORT}`]);
    await lines('probe', [...who(1), 'patience 5', `tcp 0 127.88.0.1 ${PORT} 0`]);
    await lines('collect', who(0));
    await somebodyElse(PORT, 'x');
  });

  it('ends by itself when nobody collects it', async () => {
    token++;
    await lines('listen', [...who(0), 'life 1', `tcp ${PORT}`]);
    for (;;) {
      const probed = await lines('probe', [...who(1), 'patience 5', `tcp 0 127.88.0.1 ${PORT} 0`]);
      if (probed.includes('tcp 0 refused')) break;
    }
    expect(await lines('collect', who(0))).toEqual(['gone']);
  });

  it('is missed by its exit status where there is no perl', async () => {
    const { exitCode } = await runHere(`PATH=/nowhere\n${reachScript('collect', who(0))}`);
    expect(exitCode).toBe(127);
  });
});

describe('asking all hosts', () => {
  const plain = clusterOf({ controlPlanes: 2, workers: 1 });
  const cluster: Cluster = {
    ...plain,
    endpoint: { ...plain.endpoint, port: PORT },
    hosts: plain.hosts.map((host, index) => ({ ...host, address: `127.88.0.${index + 11}` })),
  };
  const hostNamed = (name: string) => ({ name, run: runHere }) as unknown as RemoteHost;
  const ask = () => askReach({ cluster, hostNamed, signal: new AbortController().signal });

  it('gets an answer for every flow; without root for raw sockets the datagrams are unknown', async () => {
    const found = await ask();
    expect(found.map(({ flow }) => flow)).toEqual(flowsOf(cluster));
    for (const { flow, outcome } of found) {
      const expected = flow.protocol === 'tcp' || isRoot ? 'passes' : 'unknown';
      expect(outcome, JSON.stringify(flow)).toMatchObject({ is: expected });
    }
  });
});
