import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubewrightError } from '../errors.js';
import { followCluster } from './feeds/follow-cluster.js';
import { followOverview } from './feeds/follow-overview.js';
import { SharedFeeds } from './feeds/shared-feeds.js';
import { type PageFolders, readPageFiles } from './files.js';
import { makeToken } from './gate.js';
import type { DashboardReader } from './reader.js';
import { answer, type Decide, OVERVIEW, type Site } from './routes.js';

/** What the page is served with. */
export interface DashboardOptions {
  reader: DashboardReader;
  decide: Decide;
  /** Port on 127.0.0.1; 0 for a free one. */
  port: number;
  /** Where the page's files are, where not in the package. */
  folders?: PageFolders;
}

/** A page that is served. */
export interface Dashboard {
  port: number;
  /** With the token, behind `#`: browsers send that part to nobody. */
  address: string;
  /** What is followed for somebody now. */
  topics(): string[];
  close(): Promise<void>;
}

/** The machine itself, and nobody else. */
const LOOPBACK = '127.0.0.1';

/**
 * Serves the page on loopback until it is closed.
 *
 * @throws KubewrightError KW570 when the port is taken, or not for this user
 */
export async function serveDashboard({ reader, decide, port, folders }: DashboardOptions): Promise<Dashboard> {
  const files = await readPageFiles(folders);
  const feeds = new SharedFeeds((topic, tell, signal) =>
    topic === OVERVIEW ? followOverview(reader, tell, signal) : followCluster(reader, topic, tell, signal),
  );
  const token = makeToken();
  const site: Site = { port, token, files, feeds, decide };
  const server = createServer((request, response) => {
    answer(request, response, site).catch(() => response.destroy());
  });
  site.port = await listening(server, port);
  return {
    port: site.port,
    address: `http://${LOOPBACK}:${site.port}/#token=${token}`,
    topics: () => feeds.topics,
    close: () => closed(server, feeds),
  };
}

function listening(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(port, error)));
    server.listen(port, LOOPBACK, () => resolve((server.address() as AddressInfo).port));
  });
}

function cannotListen(port: number, cause: Error): KubewrightError {
  return new KubewrightError('KW570', `The page cannot be served at ${LOOPBACK}:${port}: ${cause.message}`, {
    hint: 'Name another port with --port, or leave the option out: a free one is taken then.',
    cause,
  });
}

async function closed(server: Server, feeds: SharedFeeds): Promise<void> {
  feeds.close();
  const gone = new Promise<void>((resolve) => server.close(() => resolve()));
  // Pages that listen would hold it open for ever.
  server.closeAllConnections();
  await gone;
}
