import { join } from 'node:path';
import type { Installed } from '../lab/support/installed.js';
import { TerminalClient } from './client.js';
import { InstallHistory } from './history.js';

/** What takes part in an interrupted install: the lab, the program on a terminal, and an eye on the history. */
export class Scene {
  readonly history: InstallHistory;
  client: TerminalClient;

  constructor(
    readonly cluster: Installed,
    readonly state: string = cluster.state,
  ) {
    this.history = new InstallHistory(state, cluster.lab.name);
    this.client = this.#newClient();
  }

  get transcript(): string {
    return join(this.state, 'terminal.txt');
  }

  /** What a person does whose terminal was lost: the same command again. */
  comeBack(): void {
    this.client = this.#newClient();
  }

  async close(): Promise<void> {
    await this.history.close();
    if (this.client.runs) await this.client.loseTerminal();
  }

  #newClient(): TerminalClient {
    return new TerminalClient(this.state, this.cluster.lab.files.clusterFile, this.transcript);
  }
}
