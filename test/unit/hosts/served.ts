import { afterEach, beforeEach } from 'vitest';
import { type ServerOptions, SshServer, Surroundings } from './ssh-server.js';

/** The client's home of this test. */
export let where: Surroundings;
const servers: SshServer[] = [];

/** Gives every test of a file a home that nobody has used; what it has served is gone behind it. */
export function useServers(): void {
  beforeEach(() => {
    where = new Surroundings();
  });
  afterEach(async () => {
    await where.end();
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });
}

/** A server that the client's known_hosts knows. */
export async function serve(options: ServerOptions = {}): Promise<SshServer> {
  const server = await serveUnknown(options);
  where.trust(server);
  return server;
}

/** A server that the client has never heard of. */
export async function serveUnknown(options: ServerOptions = {}): Promise<SshServer> {
  const server = await SshServer.start(options);
  servers.push(server);
  return server;
}
