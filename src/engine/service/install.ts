import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KubewrightError, messageOf } from '../../errors.js';
import { environmentTemplate } from '../../service/environment.js';
import { ENVIRONMENT_PATH, MARK, UNIT_NAME, UNIT_PATH } from '../../service/places.js';
import { requireFree, requireRights, type ServicePlan } from './plan.js';
import type { ServiceSystem } from './system.js';

/** What became of the unit. */
export type ServiceChange = 'installed' | 'changed' | 'unchanged';

/**
 * Writes the unit, has it start at each boot, and starts it. One that is ours and differs is replaced and started again; one
 * that is the same, and runs, is left alone.
 *
 * @throws KubewrightError KW582 no systemd, KW583 not root, KW584 the embedded server runs already, KW588 a unit of somebody
 * else's, KW589 systemd did not do it, with the end of the service's log
 */
export async function installService(system: ServiceSystem, { unit, text }: ServicePlan): Promise<ServiceChange> {
  requireRights(system);
  const before = await ownUnit(system);
  if (before === undefined) await requireFree(unit.stateDir);
  await makeEnvironment(system);
  if (before !== text) {
    await write(system, UNIT_PATH, text, 0o644);
    await systemctl(system, 'daemon-reload');
  }
  await systemctl(system, 'enable', UNIT_NAME);
  // Waits until the worker takes work; does nothing where it does already.
  await systemctl(system, before === undefined || before === text ? 'start' : 'restart', UNIT_NAME);
  if (before === undefined) return 'installed';
  return before === text ? 'unchanged' : 'changed';
}

/** What `uninstallService` has left. */
export interface Uninstalled {
  /** Whether there was a unit. */
  removed: boolean;
  /** Data of the embedded server; undefined where the unit does not say. */
  stateDir: string | undefined;
  /** The environment file, where somebody has written into it. */
  environment: string | undefined;
}

/**
 * Stops the service and removes its unit. Clusters, schedules and histories stay where they are.
 *
 * @throws KubewrightError KW582 no systemd, KW583 not root, KW588 a unit of somebody else's, KW589 systemd did not do it
 */
export async function uninstallService(system: ServiceSystem): Promise<Uninstalled> {
  requireRights(system);
  const unit = await ownUnit(system);
  if (unit !== undefined) {
    await systemctl(system, 'disable', '--now', UNIT_NAME);
    await rm(join(system.root, UNIT_PATH));
    await systemctl(system, 'daemon-reload');
  }
  const environment = await text(join(system.root, ENVIRONMENT_PATH));
  if (environment === environmentTemplate()) await rm(join(system.root, ENVIRONMENT_PATH));
  return {
    removed: unit !== undefined,
    stateDir: stateDirectoryIn(unit),
    environment: environment === undefined || environment === environmentTemplate() ? undefined : ENVIRONMENT_PATH,
  };
}

/** As `renderUnit` has quoted it. */
function stateDirectoryIn(unit: string | undefined): string | undefined {
  const quoted = / "--state-dir" "((?:[^"\\]|\\.)*)"$/m.exec(unit ?? '')?.[1];
  return quoted?.replace(/\\(.)/g, '$1').replaceAll('$$', '$').replaceAll('%%', '%');
}

/** @throws KubewrightError KW588 for one that Kubewright did not write */
async function ownUnit(system: ServiceSystem): Promise<string | undefined> {
  const found = await text(join(system.root, UNIT_PATH));
  if (found === undefined || found.includes(MARK)) return found;
  throw new KubewrightError('KW588', `${UNIT_PATH} is there and was not written by Kubewright`, {
    hint: `Look at it with \`systemctl cat ${UNIT_NAME}\`. It stays: if nobody needs it, move it away and run this again.`,
  });
}

/** Made where there is none. One that is there is its administrator's, but for what others may read of it. */
async function makeEnvironment(system: ServiceSystem): Promise<void> {
  const path = join(system.root, ENVIRONMENT_PATH);
  if ((await text(path)) === undefined) await write(system, ENVIRONMENT_PATH, environmentTemplate(), 0o600);
  else await chmod(path, 0o600);
}

async function text(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw notDone(`${path} cannot be read: ${messageOf(error)}`);
  }
}

/** In one go, for systemd may read it at any moment. */
async function write(system: ServiceSystem, path: string, content: string, mode: number): Promise<void> {
  const target = join(system.root, path);
  const temporary = `${target}.kubewright-new`;
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(temporary, content, { mode });
    await chmod(temporary, mode);
    await rename(temporary, target);
  } catch (error) {
    throw notDone(`${path} cannot be written: ${messageOf(error)}`);
  }
}

async function systemctl(system: ServiceSystem, ...argv: string[]): Promise<void> {
  const { exitCode, stderr } = await system.run('systemctl', argv);
  if (exitCode === 0) return;
  const { stdout: log } = await system.run('journalctl', ['-u', UNIT_NAME, '-n', '20', '--no-pager', '-o', 'cat']);
  throw notDone(`systemctl ${argv.join(' ')} failed: ${stderr.trim()}`, log.trim());
}

function notDone(message: string, output?: string): KubewrightError {
  return new KubewrightError('KW589', message, {
    hint:
      `\`journalctl -u ${UNIT_NAME}\` says more. Run the command again when the cause is gone; ` +
      '`kubewright server uninstall-service` removes the service and keeps its data.',
    output: output === '' ? undefined : output,
  });
}
