import { afterAll } from 'vitest';
import type { SshSettings } from '../../../src/cluster/types.js';
import { SshThread } from '../../../src/hosts/connection/threaded/ssh-thread.js';

type Client = NonNullable<SshSettings['client']>;

let client: Client = 'ssh2';

/** By which client the hosts of this test file are reached. */
export function clientUnderTest(): Client {
  return client;
}

/**
 * For a test file that runs another one's tests by this client: the same tests hold for both, and each file has its own
 * process. To be called before that other file is imported.
 */
export function useClient(chosen: Client): void {
  client = chosen;
}

let thread: SshThread | undefined;

/** The thread in which the connections of this test file live; none unless `useThread` was called. */
export function threadUnderTest(): SshThread | undefined {
  return thread;
}

/** As `useClient`, for ssh2 in a thread of its own, compiled from the sources. */
export async function useThread(): Promise<void> {
  const { builtThread } = await import('./threaded/built.js');
  const made = new SshThread({ url: new URL('./program.js', await builtThread()) });
  thread = made;
  afterAll(() => made.close());
}
