import { copyFile, cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** A service as Compose understood it: variables and anchors resolved, sources absolute. */
export interface Service {
  image?: string;
  environment: Record<string, string>;
  entrypoint: string[] | null;
  healthcheck?: { test: string[] };
  restart: string;
  ports?: { host_ip: string; published: string; target: number }[];
  volumes?: { type: string; source: string; target: string; read_only?: boolean }[];
}

export interface Compose {
  name: string;
  services: Record<string, Service>;
  volumes: Record<string, { name: string }>;
}

/** Makes a directory what a clone with a filled-in `.env` is for `docker compose`. */
export async function composeProject(directory: string, env: Record<string, string>): Promise<void> {
  await copyFile(join(ROOT, 'docker-compose.yml'), join(directory, 'docker-compose.yml'));
  await cp(join(ROOT, 'deploy'), join(directory, 'deploy'), { recursive: true });
  const lines = Object.entries(env).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(directory, '.env'), lines.join(''), { mode: 0o600 });
}

/**
 * Reads a project and its `.env` with Compose's own loader: its schema, its interpolation, its checks.
 *
 * @throws with what the loader said when it refuses
 */
export async function loadCompose(loader: string, directory: string): Promise<Compose> {
  const { stdout } = await execa(loader, ['docker-compose.yml'], { cwd: directory, env: {}, extendEnv: false });
  return JSON.parse(stdout) as Compose;
}

/** Where a path inside of a service's container lies on this machine, by the service's mounts. */
export function outside(service: Service, path: string): string {
  const mount = service.volumes?.find(({ target }) => path === target || path.startsWith(`${target}/`));
  return mount === undefined ? path : `${mount.source}${path.slice(mount.target.length)}`;
}

/**
 * A service's environment for a process on this machine. Nothing is taken from this process; paths of mounts are where
 * they lie here.
 *
 * @param places hosts and ports, which are all that may differ from docker-compose.yml
 * @throws when something else would
 */
export function environmentOf(service: Service, places: Record<string, string>): Record<string, string> {
  const other = Object.keys(places).find((name) => !/(_SEEDS|_HOST|_PORT|_IP|_ADDRESS)$/.test(name));
  if (other !== undefined) throw new Error(`${other} is neither a host nor a port`);
  const own = Object.entries(service.environment).map(([name, value]) => [name, outside(service, value)]);
  return { ...Object.fromEntries(own), ...places };
}
