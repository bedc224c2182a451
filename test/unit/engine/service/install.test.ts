import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { installService, uninstallService } from '../../../../src/engine/service/install.js';
import { planService, type ServiceRequest } from '../../../../src/engine/service/plan.js';
import { environmentTemplate } from '../../../../src/service/environment.js';
import { FakeSystem } from './fake-system.js';

const UNIT = '/etc/systemd/system/kubewright.service';
const ENVIRONMENT = '/etc/kubewright/service.env';
const STATE = '/srv/50% of "$it"';
const START = ['systemctl enable kubewright.service', 'systemctl start kubewright.service'];

const read = (system: FakeSystem, path: string) => readFile(join(system.root, path), 'utf8').catch(() => undefined);

async function install(system: FakeSystem, fields: Partial<ServiceRequest> = {}) {
  system.calls.length = 0;
  return installService(system, await planService(system, system.request({ stateDir: STATE, ...fields })));
}

describe('install-service', () => {
  it('writes the unit and an environment file for root alone, and starts it now and at each boot', async () => {
    const system = await FakeSystem.make();
    expect(await install(system)).toBe('installed');
    expect(await read(system, UNIT)).toContain('"--state-dir" "/srv/50%% of \\"$$it\\""');
    expect(await read(system, ENVIRONMENT)).toBe(environmentTemplate());
    expect((await stat(join(system.root, ENVIRONMENT))).mode & 0o777).toBe(0o600);
    expect(system.calls).toEqual(['systemctl daemon-reload', ...START]);
  });

  it('changes nothing the second time', async () => {
    const system = await FakeSystem.make();
    await install(system);
    const before = await stat(join(system.root, UNIT));
    expect(await install(system)).toBe('unchanged');
    expect((await stat(join(system.root, UNIT))).mtimeMs).toBe(before.mtimeMs);
    expect(system.calls).toEqual(START);
  });

  it('has a changed unit read and started again, and leaves the environment as its administrator has it', async () => {
    const system = await FakeSystem.make();
    await install(system);
    await system.file(ENVIRONMENT, 'SUDO_PASSWORD=x\n', 0o644);
    expect(await install(system, { stateDir: '/srv/other' })).toBe('changed');
    expect(system.calls).toEqual([
      'systemctl daemon-reload',
      'systemctl enable kubewright.service',
      'systemctl restart kubewright.service',
    ]);
    expect(await read(system, ENVIRONMENT)).toBe('SUDO_PASSWORD=x\n');
    expect((await stat(join(system.root, ENVIRONMENT))).mode & 0o777).toBe(0o600);
  });

  it('leaves a unit of somebody else’s alone', async () => {
    const system = await FakeSystem.make();
    await system.file(UNIT, '[Service]\nExecStart=/opt/theirs\n');
    const refusal = { code: 'KW588', hint: expect.stringContaining('move it away') };
    await expect(install(system)).rejects.toMatchObject(refusal);
    await expect(uninstallService(system)).rejects.toMatchObject(refusal);
    expect(await read(system, UNIT)).toBe('[Service]\nExecStart=/opt/theirs\n');
    expect(system.calls).toEqual([]);
  });

  it('tells what the service has said when it does not start', async () => {
    const system = await FakeSystem.make();
    system.answers.set(START[1] as string, { exitCode: 1, stderr: 'Job failed.' });
    system.answers.set('journalctl -u kubewright.service -n 20 --no-pager -o cat', { stdout: 'KW509 no port\n' });
    await expect(install(system)).rejects.toMatchObject({
      code: 'KW589',
      message: expect.stringContaining('systemctl start kubewright.service failed: Job failed.'),
      output: 'KW509 no port',
    });
  });
});

describe('uninstall-service', () => {
  it('stops and removes the unit, and says where the data stay', async () => {
    const system = await FakeSystem.make();
    await install(system);
    system.calls.length = 0;
    expect(await uninstallService(system)).toEqual({ removed: true, stateDir: STATE, environment: undefined });
    expect(system.calls).toEqual(['systemctl disable --now kubewright.service', 'systemctl daemon-reload']);
    expect(await read(system, UNIT)).toBeUndefined();
    expect(await read(system, ENVIRONMENT)).toBeUndefined();
    expect(await uninstallService(system)).toMatchObject({ removed: false });
  });

  it('keeps an environment file into which somebody has written', async () => {
    const system = await FakeSystem.make();
    await install(system);
    await system.file(ENVIRONMENT, `${environmentTemplate()}SUDO_PASSWORD=x\n`);
    expect(await uninstallService(system)).toMatchObject({ environment: ENVIRONMENT });
    expect(await read(system, ENVIRONMENT)).toContain('SUDO_PASSWORD=x');
  });

  it('is root’s', async () => {
    const system = await FakeSystem.make();
    system.uid = 1_000;
    await expect(uninstallService(system)).rejects.toMatchObject({ code: 'KW583' });
  });
});
