import { randomBytes } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { ensureTeamPrograms, type TeamPrograms } from '../../../lab/artifacts/teams.js';
import { until } from '../../../lab/hosts/machine/run.js';
import { ensureTemporal } from '../../../src/artifacts/temporal.js';
import { cacheDirectory } from '../../../src/bundle/cache-directory.js';
import { BUNDLES } from '../../../src/bundle/locate.js';
import { answers, freePort } from '../../../src/engine/server/ports.js';
import { type Compose, composeProject, environmentOf, loadCompose, outside, type Service } from './compose.js';
import { makePostgres, type Postgres } from './postgres.js';
import { Supervised } from './supervised.js';
import { layOutWorker, type WorkerImage } from './worker-image.js';

const NODE = dirname(process.execPath);
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';
const HEALTH_LIMIT_MS = 120_000;

/** Ports of the server's own parts, by the variables of its configuration template. */
const SERVER_PORTS = [
  'FRONTEND_HTTP_PORT',
  ...['FRONTEND', 'HISTORY', 'MATCHING', 'WORKER'].flatMap((part) => [`${part}_GRPC_PORT`, `${part}_MEMBERSHIP_PORT`]),
];

interface Ports {
  postgres: number;
  temporal: number;
}

/**
 * The services of docker-compose.yml as processes of this machine: the programs that its images hold, with the
 * environment, the order and the restart policy that it gives them. Only hosts and ports are others; everything listens
 * on loopback.
 */
export class TeamStack {
  private constructor(
    readonly directory: string,
    readonly programs: TeamPrograms,
    /** Directory of Temporal's command line, which the image `temporalio/admin-tools` holds too. */
    private readonly cli: string,
    readonly compose: Compose,
    readonly postgres: Postgres,
    readonly temporal: Supervised,
    private readonly workerContainer: WorkerContainer,
    private readonly ports: Ports,
  ) {}

  /** Builds what is missing and writes what has to be there; nothing runs yet. */
  static async make(ssh: { privateKey: string; knownHosts: string }): Promise<TeamStack> {
    const log = (line: string): void => console.log(`    ${line}`);
    const programs = await ensureTeamPrograms(log);
    const { cli } = await ensureTemporal({ log });
    const directory = await mkdtemp(join(tmpdir(), 'kubewright-teams-'));
    try {
      await chmod(directory, 0o711);
      return await TeamStack.assemble(directory, programs, dirname(cli), ssh);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  private static async assemble(
    directory: string,
    programs: TeamPrograms,
    cli: string,
    ssh: { privateKey: string; knownHosts: string },
  ): Promise<TeamStack> {
    const project = join(directory, 'project');
    await mkdir(project);
    await composeProject(project, {
      TEMPORAL_DB_PASSWORD: randomBytes(24).toString('hex'),
      KUBEWRIGHT_SSH_DIRECTORY: await sshDirectory(join(directory, 'ssh'), ssh),
      KUBEWRIGHT_BUNDLES: join(cacheDirectory(), BUNDLES),
    });
    const compose = await loadCompose(programs.composeSpec, project);
    const ports = { postgres: await freePort(), temporal: await freePort() };
    const postgres = await databaseOf(compose, join(directory, 'postgres'), ports.postgres);
    const temporal = await serverOf(compose, programs, directory, ports);
    const worker = await workerOf(compose, directory, ports.temporal);
    return new TeamStack(directory, programs, cli, compose, postgres, temporal, worker, ports);
  }

  get worker(): Supervised {
    return this.workerContainer.process;
  }

  /** Where the server listens: what a team's members give as `--address`. */
  get address(): string {
    return `127.0.0.1:${this.ports.temporal}`;
  }

  /** `docker compose up` without the worker: each service after what it depends on. */
  async up(): Promise<void> {
    this.postgres.server.start();
    await this.untilHealthy('postgres');
    await this.runOnce('schema');
    this.temporal.start();
    await this.untilHealthy('temporal');
    await this.runOnce('namespace');
  }

  /** Waits for what the service's health check asks. */
  async untilHealthy(name: 'postgres' | 'temporal'): Promise<void> {
    const { healthcheck } = serviceOf(this.compose, name);
    const test = healthcheck?.test ?? [];
    const isHealthy = name === 'postgres' ? () => this.postgres.isHealthy(test) : () => answers(this.ports.temporal);
    if (await until(isHealthy, HEALTH_LIMIT_MS, 100)) return;
    const process = name === 'postgres' ? this.postgres.server : this.temporal;
    throw new Error(`${name} is not healthy:\n${await process.lastWords()}`);
  }

  /** Runs a service that ends: its script, with its environment. Returns what it said. */
  async runOnce(name: 'schema' | 'namespace'): Promise<string> {
    const service = serviceOf(this.compose, name);
    const places: Record<string, string> =
      name === 'schema'
        ? { SQL_HOST: '127.0.0.1', SQL_PORT: String(this.ports.postgres) }
        : { TEMPORAL_ADDRESS: this.address };
    const [command = '', ...args] = (service.entrypoint ?? []).map((word) => outside(service, word));
    const env = { PATH: this.adminPath, HOME: this.directory, ...environmentOf(service, places) };
    const { all } = await execa(command, args, { env, extendEnv: false, all: true, timeout: 180_000 });
    return all;
  }

  /** Temporal's command line, asked for JSON: what the server itself says. */
  async ask<T>(...args: string[]): Promise<T> {
    const env = { PATH: this.adminPath, HOME: this.directory, TEMPORAL_ADDRESS: this.address };
    const { stdout } = await execa('temporal', [...args, '--output', 'json'], { env, extendEnv: false });
    return JSON.parse(stdout) as T;
  }

  /** Exit code of the worker's health check, run where the worker runs. */
  async workerHealth(): Promise<number | undefined> {
    const [, command = '', ...args] = serviceOf(this.compose, 'worker').healthcheck?.test ?? [];
    const { image, env } = this.workerContainer;
    return (await execa(command, args, { cwd: image.directory, env, extendEnv: false, reject: false })).exitCode;
  }

  /** Ends everything in the order of `docker compose stop`: who depends on others first. */
  async stop(): Promise<void> {
    await this.worker.stop();
    await this.temporal.stop();
    // SIGINT: connections are ended, not waited for. It is the image's STOPSIGNAL.
    await this.postgres.server.stop('SIGINT');
  }

  /** Ends everything and removes the database with all else. */
  async remove(): Promise<void> {
    await this.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  private get adminPath(): string {
    return `${this.programs.directory}:${this.cli}:${SYSTEM_PATH}`;
  }
}

function serviceOf(compose: Compose, name: string): Service {
  const service = compose.services[name];
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return service;
}

/** A directory as somebody makes it for the worker: a key and the hosts' keys. */
async function sshDirectory(directory: string, files: { privateKey: string; knownHosts: string }): Promise<string> {
  await mkdir(directory, { mode: 0o700 });
  await copyFile(files.privateKey, join(directory, 'id_ed25519'));
  await copyFile(files.knownHosts, join(directory, 'known_hosts'));
  return directory;
}

async function databaseOf(compose: Compose, directory: string, port: number): Promise<Postgres> {
  const { environment, restart, healthcheck } = serviceOf(compose, 'postgres');
  await mkdir(directory);
  const postgres = await makePostgres(directory, environment, port, restart);
  postgres.server.start();
  try {
    const isHealthy = await until(() => postgres.isHealthy(healthcheck?.test ?? []), HEALTH_LIMIT_MS, 100);
    if (!isHealthy) throw new Error(`PostgreSQL is not healthy:\n${await postgres.server.lastWords()}`);
    // The image makes a database of the user's name as well: what makes the schema has to get along with it.
    await postgres.query('postgres', `CREATE DATABASE ${environment.POSTGRES_USER}`);
  } finally {
    await postgres.server.stop('SIGINT');
  }
  return postgres;
}

async function serverOf(
  compose: Compose,
  programs: TeamPrograms,
  directory: string,
  ports: Ports,
): Promise<Supervised> {
  const service = serviceOf(compose, 'temporal');
  const places: Record<string, string> = {
    POSTGRES_SEEDS: '127.0.0.1',
    DB_PORT: String(ports.postgres),
    BIND_ON_IP: '127.0.0.1',
  };
  for (const name of SERVER_PORTS) places[name] = String(await freePort());
  places.FRONTEND_GRPC_PORT = String(ports.temporal);
  return new Supervised(
    {
      // The image's own start script; `set -o pipefail` in it needs a shell that is not Debian's sh.
      command: 'bash',
      args: [programs.entrypoint],
      env: { PATH: `${programs.directory}:${SYSTEM_PATH}`, ...environmentOf(service, places) },
      cwd: directory,
      log: join(directory, 'temporal.log'),
    },
    service.restart,
  );
}

interface WorkerContainer {
  process: Supervised;
  image: WorkerImage;
  env: Record<string, string>;
}

async function workerOf(compose: Compose, directory: string, temporalPort: number): Promise<WorkerContainer> {
  const service = serviceOf(compose, 'worker');
  const image = await layOutWorker(join(directory, 'app'));
  const env = {
    PATH: `${NODE}:${SYSTEM_PATH}`,
    HOME: await homeOf(service, join(directory, 'home')),
    ...image.environment,
    ...environmentOf(service, { TEMPORAL_ADDRESS: `127.0.0.1:${temporalPort}` }),
  };
  const [command = '', ...args] = image.command;
  const log = join(directory, 'worker.log');
  return {
    process: new Supervised({ command, args, env, cwd: image.directory, log }, service.restart),
    image,
    env,
  };
}

/** A home directory with links where the worker's container has its mounts. */
async function homeOf(worker: Service, home: string): Promise<string> {
  for (const { source, target } of worker.volumes ?? []) {
    const link = target.replace(/^\/home\/kubewright/, home);
    if (link === target) throw new Error(`${target} is not in the worker's home directory`);
    await mkdir(dirname(link), { recursive: true });
    await symlink(source, link);
  }
  return home;
}
