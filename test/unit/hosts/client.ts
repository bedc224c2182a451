import type { SshSettings } from '../../../src/cluster/types.js';

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
