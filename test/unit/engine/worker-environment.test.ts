import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { differences, environmentFor, needsOf } from '../../../src/engine/worker/environment.js';
import { clusterOf } from '../cluster-fixture.js';

let stateDir: string;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'kubewright-environment-'));
});
afterEach(() => rm(stateDir, { recursive: true, force: true }));

const needs = { variables: ['A_SUDO', 'B_SUDO'], agent: true };
const of = (env: NodeJS.ProcessEnv, ...keys: string[]) => environmentFor(stateDir, env, needs, keys);

describe('what a worker’s record says of its environment', () => {
  it('names what the hosts of a cluster need, once', () => {
    const cluster = clusterOf({ controlPlanes: 3, workers: 1 });
    cluster.hosts.forEach((host, index) => {
      host.ssh.sudoPasswordEnv = index < 2 ? 'B_SUDO' : null;
      host.ssh.agent = false;
    });
    expect(needsOf(cluster)).toEqual({ variables: ['B_SUDO'], agent: false });
  });

  it('tells no value, and two state directories tell not even that they are equal', async () => {
    const env = { A_SUDO: 'hunter2', SSH_AUTH_SOCK: '/run/agent' };
    const first = await of(env);
    expect(first).toMatchObject({ agent: '/run/agent', variables: { A_SUDO: expect.any(String), B_SUDO: null } });
    expect(JSON.stringify(first)).not.toContain('hunter2');
    expect(await of(env)).toEqual(first);
    expect((await stat(join(stateDir, 'environment.key'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(stateDir, 'environment.key'))).toHaveLength(32);
    await rm(join(stateDir, 'environment.key'));
    expect((await of(env)).variables.A_SUDO).not.toBe(first.variables.A_SUDO);
  });

  it('differs by what this terminal has and the worker has not, never by what this one lacks', async () => {
    const present = await of({ A_SUDO: 'one', B_SUDO: 'two' }, 'key-1', 'key-0');
    expect(await differences(present, await of({ A_SUDO: 'one', B_SUDO: 'other' }, 'key-2'), needs)).toEqual([
      'B_SUDO',
      'KUBEWRIGHT_PAYLOAD_KEY',
    ]);
    expect(await differences(present, await of({}), needs)).toEqual([]);
    expect(await differences(present, await of({}, 'key-0'), needs)).toEqual([]);
    expect(await differences(undefined, await of({ B_SUDO: 'two' }), needs)).toEqual(['B_SUDO']);
  });

  it('differs by the SSH agent where the hosts may use one, and this terminal’s answers', async () => {
    const socket = join(stateDir, 'agent');
    const agent = createServer();
    await new Promise<void>((resolve) => agent.listen(socket, resolve));
    onTestFinished(() => void agent.close());
    const present = await of({ SSH_AUTH_SOCK: '/tmp/of-a-session-that-is-over' });
    expect(await differences(present, await of({ SSH_AUTH_SOCK: socket }), needs)).toEqual(['SSH_AUTH_SOCK']);
    expect(await differences(present, await of({ SSH_AUTH_SOCK: socket }), { ...needs, agent: false })).toEqual([]);
    const dead = await of({ SSH_AUTH_SOCK: join(stateDir, 'nobody') });
    expect(await differences(present, dead, needs)).toEqual([]);
  });
});
