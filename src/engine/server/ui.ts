import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { lookUntil, notYet, seen } from '../../waiting.js';
import { isAlive, type ProcessIdentity } from '../processes/identity.js';
import { startDetached } from './launch.js';
import { answers, LOOPBACK } from './ports.js';

const READY_LIMIT_MS = 5_000;

/**
 * Starts Temporal's UI server beside the embedded server, on loopback. It reads its configuration from a file, which is
 * written anew at every start.
 *
 * @throws Error when it ends at once, as where something has taken its port meanwhile
 */
export async function launchUi(
  ui: string,
  stateDir: string,
  ports: { server: number; ui: number },
): Promise<ProcessIdentity> {
  const config = join(stateDir, 'ui');
  await mkdir(config, { recursive: true, mode: 0o700 });
  await writeFile(join(config, 'development.yaml'), stringify(uiConfiguration(ports)), { mode: 0o600 });
  const argv = ['--root', stateDir, '--config', 'ui', '--env', 'development', 'start'];
  const { identity } = await startDetached(ui, argv, { log: join(stateDir, 'temporal-ui.log') });
  const look = async () => ((await answers(ports.ui)) || !(await isAlive(identity)) ? seen(true) : notYet());
  await lookUntil(look, { patienceMs: READY_LIMIT_MS, everyMs: 40 });
  if (!(await isAlive(identity))) throw new Error(`it ended at once; see ${join(stateDir, 'temporal-ui.log')}`);
  return identity;
}

function uiConfiguration(ports: { server: number; ui: number }): Record<string, unknown> {
  return {
    temporalGrpcAddress: `${LOOPBACK}:${ports.server}`,
    host: LOOPBACK,
    port: ports.ui,
    enableUi: true,
    defaultNamespace: 'default',
    // The browser's page comes from the same origin; any other page must not read or steer installs.
    cors: { allowOrigins: [`http://${LOOPBACK}:${ports.ui}`, `http://localhost:${ports.ui}`] },
  };
}
