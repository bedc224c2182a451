import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

const API_SERVER_PORT = 6443;

/**
 * A load balancer on this machine, which is none of the lab's hosts: each connection goes to the next control plane that
 * takes it. It knows nothing of what it carries.
 */
export class Balancer {
  #next = 0;
  #servers: string[];

  private constructor(
    readonly address: string,
    readonly port: number,
    servers: string[],
    private readonly server: Server,
  ) {
    this.#servers = servers;
  }

  static async start(address: string, port: number, servers: string[]): Promise<Balancer> {
    const server = createServer();
    const balancer = new Balancer(address, port, servers, server);
    server.on('connection', (client) => balancer.#carry(client, servers.length));
    server.listen(port, address);
    await once(server, 'listening');
    return balancer;
  }

  /** From the next connection on. */
  leadTo(servers: string[]): void {
    this.#servers = servers;
  }

  async stop(): Promise<void> {
    this.server.close();
  }

  #carry(client: Socket, tries: number): void {
    const host = this.#servers[this.#next++ % this.#servers.length];
    client.on('error', () => client.destroy());
    if (host === undefined || tries === 0) {
      client.destroy();
      return;
    }
    const server = connect({ host, port: API_SERVER_PORT, timeout: 1_000 });
    const another = () => {
      server.destroy();
      this.#carry(client, tries - 1);
    };
    server.once('error', another).once('timeout', another);
    server.once('connect', () => {
      server.setTimeout(0).off('error', another).off('timeout', another);
      server.on('error', () => client.destroy()).on('close', () => client.destroy());
      client.on('close', () => server.destroy());
      client.pipe(server).pipe(client);
    });
  }
}
