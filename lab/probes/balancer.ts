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
  /** All sockets of both sides. */
  readonly #open = new Set<Socket>();

  private constructor(
    readonly address: string,
    readonly port: number,
    servers: string[],
    private readonly serverPort: number,
    private readonly server: Server,
  ) {
    this.#servers = servers;
  }

  /** @param serverPort where each of the servers listens */
  static async start(
    address: string,
    port: number,
    servers: string[],
    serverPort = API_SERVER_PORT,
  ): Promise<Balancer> {
    const server = createServer();
    const balancer = new Balancer(address, port, servers, serverPort, server);
    server.on('connection', (client) => balancer.#carry(balancer.#hold(client), servers.length));
    server.listen(port, address);
    await once(server, 'listening');
    return balancer;
  }

  /** From the next connection on. */
  leadTo(servers: string[]): void {
    this.#servers = servers;
  }

  /** Ends all that it carries too: a host that is gone by then says no word, and its connection would stay for hours. */
  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
  }

  #hold(socket: Socket): Socket {
    this.#open.add(socket);
    return socket.on('close', () => this.#open.delete(socket));
  }

  #carry(client: Socket, tries: number): void {
    const host = this.#servers[this.#next++ % this.#servers.length];
    client.on('error', () => client.destroy());
    if (host === undefined || tries === 0 || client.destroyed || !this.server.listening) {
      client.destroy();
      return;
    }
    const server = this.#hold(connect({ host, port: this.serverPort, timeout: 1_000 }));
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
