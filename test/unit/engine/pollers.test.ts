import { hostname } from 'node:os';
import { expect, it } from 'vitest';
import { BUILD } from '../../../src/build.js';
import { buildsOn, mayBeAnswered } from '../../../src/engine/runs/pollers.js';
import type { Engine } from '../../../src/engine/types.js';
import { readIdentity, workerIdentity } from '../../../src/engine/worker/identity.js';

const ago = (seconds: number) => ({ seconds: Math.floor(Date.now() / 1000) - seconds });
/** Above what a kernel gives out. */
const DEAD_PID = 2 ** 30;

function engineWith(pollers: object[] | Error): Engine {
  const describeTaskQueue = async () => {
    if (pollers instanceof Error) throw pollers;
    return { pollers };
  };
  return {
    client: { workflowService: { describeTaskQueue } },
    settings: { namespace: 'default' },
  } as unknown as Engine;
}

it.each<[string, object[] | Error, boolean]>([
  ['nobody has ever asked for work', [], false],
  ['a worker elsewhere has asked lately', [{ identity: '7@far', lastAccessTime: ago(50) }], true],
  ['it has asked long ago', [{ identity: '7@far', lastAccessTime: ago(120) }], false],
  ['one here has asked and lives', [{ identity: `${process.pid}@${hostname()}`, lastAccessTime: ago(1) }], true],
  ['one here has asked and has ended', [{ identity: `${DEAD_PID}@${hostname()}`, lastAccessTime: ago(1) }], false],
  ['it calls itself something else', [{ identity: 'team-worker', lastAccessTime: ago(1) }], true],
  ['that may not be asked', new Error('7 PERMISSION_DENIED'), true],
])('a query is worth sending when %s: %s', async (_name, pollers, worth) => {
  expect(await mayBeAnswered(engineWith(pollers), 'kubewright')).toBe(worth);
});

it('workers are told by their builds; those that name none, and those that have ended, are no others', async () => {
  const engine = engineWith([
    { identity: '7@far kubewright/0.2.0+0123456ab', lastAccessTime: ago(1) },
    { identity: '8@far kubewright/0.2.0+0123456ab', lastAccessTime: ago(1) },
    { identity: '9@far', lastAccessTime: ago(1) },
    { identity: `${DEAD_PID}@${hostname()} kubewright/0.3.0`, lastAccessTime: ago(1) },
    { identity: '10@far kubewright/0.4.0', lastAccessTime: ago(120) },
  ]);
  expect(await buildsOn(engine, 'q')).toEqual(['0.1.0 or another program', '0.2.0+0123456ab']);
  expect(await buildsOn(engineWith(new Error('no')), 'q')).toBeUndefined();
});

it('a worker’s own name is read as what it says', () => {
  expect(readIdentity(workerIdentity())).toEqual({ pid: process.pid, machine: hostname(), build: BUILD });
});
