import { BUILD } from '../../build.js';
import { KubewrightError } from '../../errors.js';
import { isAlive, ownIdentity } from '../processes/identity.js';
import { type SharedProcess, SharedRecord } from '../processes/shared-record.js';

/** What `STATE/service.json` says: `kubewright server run`, with systemd or another supervisor above it. */
export interface ServiceRecord extends SharedProcess {
  /** Build of Kubewright that it runs: version and commit. */
  build: string;
  /** Task queue of its worker. */
  queue: string;
}

/** The service of a state directory; undefined when none runs. */
export async function serviceRecord(stateDir: string): Promise<ServiceRecord | undefined> {
  const record = await recordsOf(stateDir).read();
  return record !== undefined && (await isAlive(record)) ? record : undefined;
}

/**
 * Who stops the server under a service gets it back from its supervisor seconds later.
 *
 * @throws KubewrightError KW584 when one runs
 */
export async function requireNoService(stateDir: string): Promise<void> {
  const record = await serviceRecord(stateDir);
  if (record !== undefined) throw taken(stateDir, record);
}

/**
 * Makes this process the service of a state directory.
 *
 * @returns ends that
 * @throws KubewrightError KW584 when another process is it
 */
export async function becomeService(stateDir: string, queue: string): Promise<() => Promise<void>> {
  const self = await ownIdentity();
  await recordsOf(stateDir).update(async (record) => {
    if (record !== undefined && record.pid !== self.pid && (await isAlive(record))) throw taken(stateDir, record);
    return { record: { ...self, users: [], detached: false, build: BUILD, queue }, result: undefined };
  });
  return () =>
    recordsOf(stateDir).update(async (record) => ({
      record: record?.pid === self.pid ? undefined : record,
      result: undefined,
    }));
}

function recordsOf(stateDir: string): SharedRecord<ServiceRecord> {
  return new SharedRecord<ServiceRecord>(stateDir, 'service.json');
}

function taken(stateDir: string, { pid }: ServiceRecord): KubewrightError {
  return new KubewrightError('KW584', `\`kubewright server run\` runs already for ${stateDir} (pid ${pid})`, {
    hint: 'End that one first: `systemctl stop kubewright`, where it is the service.',
  });
}
