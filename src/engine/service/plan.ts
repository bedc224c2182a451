import { join } from 'node:path';
import { KubewrightError } from '../../errors.js';
import { renderUnit, type ServiceUnit } from '../../service/unit.js';
import { serverStatus } from '../embedded-server.js';
import { resolveSettings, type SettingsOptions } from '../settings.js';
import { listWorkers } from '../worker-process.js';
import { accountOf } from './account.js';
import { requireLasting, requireProgram } from './placement.js';
import { requireNoService } from './record.js';
import { isBootedBySystemd, type ServiceSystem } from './system.js';

/** What is asked for. */
export interface ServiceRequest {
  /** Account that the service runs as; default: whoever called, behind sudo too. */
  user?: string;
  /** Data of the embedded server; default: where `server start` of that user has it. */
  stateDir?: string;
  env: NodeJS.ProcessEnv;
  /** What names a Temporal server: options and environment of the command. */
  settings: SettingsOptions;
  /** Node, and Kubewright's program. */
  node: string;
  program: string;
}

/** What is to be written. */
export interface ServicePlan {
  unit: ServiceUnit;
  text: string;
}

/**
 * The unit that this machine would get; changes nothing.
 *
 * @throws KubewrightError KW585 a Temporal server elsewhere is named, KW586 no such user, KW587 a place that does not last
 */
export async function planService(system: ServiceSystem, request: ServiceRequest): Promise<ServicePlan> {
  requireEmbedded(request.settings);
  const { env, node, program } = request;
  const user = request.user ?? (env.SUDO_USER || undefined) ?? (await ownName(system));
  const account = await accountOf(system, user);
  // The caller's XDG_STATE_HOME is the caller's: for another user the defaults of that one's home hold.
  const own = account.uid === system.uid && env.XDG_STATE_HOME?.startsWith('/') ? env.XDG_STATE_HOME : undefined;
  const base = own ?? join(account.home, '.local', 'state');
  const stateDir = request.stateDir ?? (env.KUBEWRIGHT_STATE || join(base, 'kubewright'));
  requireLasting('The state directory', stateDir);
  requireProgram(system, 'Node', node, account);
  requireProgram(system, 'Kubewright', program, account);
  const unit = { node, program, stateDir, user };
  return { unit, text: renderUnit(unit) };
}

async function ownName(system: ServiceSystem): Promise<string> {
  return (await system.run('id', ['-un'])).stdout.trim();
}

/**
 * The service is for those who have no Temporal server elsewhere: with one, it would be a second place that knows of clusters.
 *
 * @throws KubewrightError KW585
 */
export function requireEmbedded(settings: SettingsOptions): void {
  const named = resolveSettings(settings);
  if (named === undefined) return;
  throw new KubewrightError('KW585', `A Temporal server is named: ${named.address} (${named.source})`, {
    hint:
      'The service has a server of its own. For workers of a server elsewhere see docs/teams.md; --embedded sets the service up ' +
      'all the same, and commands go to the server that is named unless they get --embedded, too.',
  });
}

/** @throws KubewrightError KW582 no systemd, KW583 not root */
export function requireRights(system: ServiceSystem): void {
  if (!isBootedBySystemd(system)) {
    throw new KubewrightError('KW582', 'This machine was not started by systemd', {
      hint: 'Have your own supervisor run `kubewright server run`; it ends in order on SIGTERM.',
    });
  }
  if (system.uid !== 0) {
    throw new KubewrightError('KW583', 'A service of the system is set up and removed by root alone', {
      hint: 'Run it with sudo: the service runs as you all the same. --dry-run shows the unit to anybody.',
    });
  }
}

/**
 * Makes sure that nobody else runs the embedded server of these data.
 *
 * @throws KubewrightError KW584
 */
export async function requireFree(stateDir: string): Promise<void> {
  await requireNoService(stateDir);
  const server = await serverStatus(stateDir);
  const workers = (await listWorkers(stateDir)).filter(({ embedded }) => embedded);
  if (server === undefined && workers.length === 0) return;
  const what =
    server === undefined ? `A background worker (pid ${workers[0]?.pid})` : `The embedded server (pid ${server.pid})`;
  throw new KubewrightError('KW584', `${what} runs already for ${stateDir}, and is none of the service`, {
    hint:
      `Stop it with \`kubewright server stop --state-dir ${stateDir}\` as the user that started it, then run this again: installs wait ` +
      'where they stand, and schedules go on under the service.',
  });
}
