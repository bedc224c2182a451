import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ownIdentity } from '../../../../src/engine/processes/identity.js';
import { planService, requireFree, requireRights } from '../../../../src/engine/service/plan.js';
import { notRunHere } from '../../not-run.js';
import { FakeSystem, SOMEBODY } from './fake-system.js';

const refusal = (code: string, text: string) => ({
  code,
  message: expect.stringContaining(text),
  hint: expect.any(String),
});

describe('the plan of the service', () => {
  it('takes the data that `server start` of its user uses', async (context) => {
    if (process.geteuid?.() !== 0) notRunHere(context, 'one user cannot be two');
    const system = await FakeSystem.make();
    system.account('kube', 1_000, '/srv/kube');
    const stateOf = async (fields: object) => (await planService(system, system.request(fields))).unit.stateDir;
    expect(await stateOf({})).toBe('/root/.local/state/kubewright');
    expect(await stateOf({ env: { XDG_STATE_HOME: '/var/state' } })).toBe('/var/state/kubewright');
    expect(await stateOf({ env: { KUBEWRIGHT_STATE: '/srv/kubewright' } })).toBe('/srv/kubewright');
    expect(await stateOf({ stateDir: '/srv/other', env: { KUBEWRIGHT_STATE: '/srv/kubewright' } })).toBe('/srv/other');
    // root's own place for state is not that of somebody else.
    expect(await stateOf({ user: 'kube', env: { XDG_STATE_HOME: '/var/state' } })).toBe(
      '/srv/kube/.local/state/kubewright',
    );
  });

  it('runs as who called, behind sudo too', async () => {
    const system = await FakeSystem.make();
    system.account('anna', SOMEBODY, '/home/anna');
    system.answers.set('id -un', { stdout: 'root\n' });
    const userOf = async (env: NodeJS.ProcessEnv) =>
      (await planService(system, system.request({ user: undefined, env }))).unit.user;
    expect(await userOf({})).toBe('root');
    expect(await userOf({ SUDO_USER: 'anna' })).toBe('anna');
  });

  it.each(['nobody-of-that-name', '-r', '0', '', 'a b', 'root\nUser=root'])('refuses the user %j', async (user) => {
    const system = await FakeSystem.make();
    await expect(planService(system, system.request({ user }))).rejects.toMatchObject(refusal('KW586', 'has no user'));
  });

  it('refuses when a Temporal server elsewhere is named, unless the embedded one is asked for', async () => {
    const system = await FakeSystem.make();
    const env = { TEMPORAL_ADDRESS: 'temporal.example.org:7233' };
    const asked = system.request({ env });
    await expect(planService(system, asked)).rejects.toMatchObject(
      refusal('KW585', 'temporal.example.org:7233 (from TEMPORAL_ADDRESS)'),
    );
    expect(await planService(system, { ...asked, settings: { env, embeddedOnly: true } })).toBeDefined();
  });

  it.each([
    [{ node: '/tmp/node/bin/node' }, 'Node is at /tmp/node/bin/node'],
    [{ node: '/home/bob/.nvm/node' }, 'Node is not at'],
    [{ program: '/var/tmp/kubewright.mjs' }, 'Kubewright is at /var/tmp'],
    [{ program: '/root/.npm/_npx/1a2b/kubewright.mjs' }, "npm's cache"],
    [{ stateDir: '/tmp/state' }, 'The state directory is at /tmp/state'],
    [{ stateDir: 'state' }, 'no path that a unit can name'],
    [{ stateDir: '/srv/a\nExecStartPre=/bin/sh' }, 'no path that a unit can name'],
  ])('refuses what does not last: %j', async (fields, text) => {
    const system = await FakeSystem.make();
    await expect(planService(system, system.request(fields))).rejects.toMatchObject(refusal('KW587', text));
  });

  it('refuses a Node that another user may replace, or that its user cannot reach', async (context) => {
    if (process.geteuid?.() !== 0) notRunHere(context, 'files get other owners by root alone');
    const system = await FakeSystem.make();
    system.account('kube', 1_000, '/srv/kube');
    const bobs = '/home/bob/.nvm/node';
    await system.file(bobs, '', 0o755);
    await chown(join(system.root, '/home/bob'), 1_001, 1_001);
    await expect(planService(system, system.request({ node: bobs }))).rejects.toMatchObject(
      refusal('KW587', '/home/bob has the owner 1001'),
    );
    await system.file('/root/node', '', 0o755);
    await chmod(join(system.root, '/root'), 0o700);
    expect(await planService(system, system.request({ node: '/root/node' }))).toBeDefined();
    await expect(planService(system, system.request({ user: 'kube', node: '/root/node' }))).rejects.toMatchObject(
      refusal('KW587', 'kube may not reach Node: /root is closed'),
    );
    expect(await planService(system, system.request({ user: 'kube' }))).toBeDefined();
  });
});

describe('setting up the service', () => {
  it('is refused without systemd, and to all but root', async () => {
    const system = await FakeSystem.make();
    requireRights(system);
    system.uid = 1_000;
    expect(() => requireRights(system)).toThrow(expect.objectContaining(refusal('KW583', 'root alone')));
    await rm(join(system.root, 'run'), { recursive: true });
    expect(() => requireRights(system)).toThrow(expect.objectContaining(refusal('KW582', 'not started by systemd')));
  });

  it('is refused while somebody else runs the embedded server, or is the service', async () => {
    const stateDir = await mkdtemp(join(tmpdir(), 'kubewright-state-'));
    onTestFinished(() => rm(stateDir, { recursive: true }));
    await requireFree(stateDir);
    const record = { ...(await ownIdentity()), users: [], detached: true };
    await writeFile(join(stateDir, 'server.json'), JSON.stringify({ ...record, port: 1, uiPort: null }));
    await expect(requireFree(stateDir)).rejects.toMatchObject({
      ...refusal('KW584', `(pid ${process.pid}) runs already`),
      hint: expect.stringContaining('kubewright server stop'),
    });
    await writeFile(join(stateDir, 'service.json'), JSON.stringify({ ...record, build: '1', queue: 'kubewright' }));
    await expect(requireFree(stateDir)).rejects.toMatchObject(refusal('KW584', 'kubewright server run'));
  });
});
