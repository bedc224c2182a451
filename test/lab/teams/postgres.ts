import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { Supervised } from './supervised.js';

const VERSIONS = '/usr/lib/postgresql';

/**
 * Debian makes and starts a cluster at once with the server's package; told so in time, it does not. What it is told is
 * taken back.
 */
const INSTALL = `
export DEBIAN_FRONTEND=noninteractive
wait='-o DPkg::Lock::Timeout=600'
apt-get -q $wait update
apt-get -q $wait install --yes --no-install-recommends postgresql-common
conf=/etc/postgresql-common/createcluster.conf
cp -a "$conf" "$conf.kubewright"
trap 'mv "$conf.kubewright" "$conf"' EXIT
echo 'create_main_cluster = false' >> "$conf"
apt-get -q $wait install --yes --no-install-recommends postgresql`;

/** Directory of Debian's PostgreSQL programs; installs the package first where it is missing, and says so. */
export async function postgresPrograms(): Promise<string> {
  const found = await newest();
  if (found !== undefined) return found;
  console.log('installing the package postgresql with apt-get, once, without a cluster');
  await execa('bash', ['-euc', INSTALL]);
  const installed = await newest();
  if (installed === undefined) throw new Error(`the package postgresql brought no ${VERSIONS}/*/bin/postgres`);
  return installed;
}

async function newest(): Promise<string | undefined> {
  const versions = (await readdir(VERSIONS).catch(() => [])).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(VERSIONS, version, 'bin')).find((bin) => existsSync(join(bin, 'postgres')));
}

export interface Postgres {
  server: Supervised;
  /** Runs a health check of docker-compose.yml where the server is. */
  isHealthy(test: string[]): Promise<boolean>;
  /** Lines that a query gives, asked with the password by TCP. */
  query(database: string, sql: string): Promise<string[]>;
}

/**
 * Makes what the image `postgres` makes of its environment at its first start (a superuser, whom only the password lets
 * in) in a directory of its own, and returns a server for it that is not started yet.
 *
 * @param environment POSTGRES_USER and POSTGRES_PASSWORD
 * @param restart the service's restart policy
 */
export async function makePostgres(
  directory: string,
  environment: Record<string, string>,
  port: number,
  restart: string,
): Promise<Postgres> {
  const { POSTGRES_USER: user = '', POSTGRES_PASSWORD: password = '' } = environment;
  const bin = await postgresPrograms();
  const data = join(directory, 'data');
  const passwordFile = join(directory, 'password');
  // The user postgres has to come through the directories above.
  await chmod(directory, 0o711);
  await mkdir(data);
  await writeFile(passwordFile, password);
  await execa('chown', ['postgres:postgres', data, passwordFile]);
  const asPostgres = ['--reuid', 'postgres', '--regid', 'postgres', '--init-groups', '--pdeathsig', 'KILL', '--'];
  const auth = ['--username', user, '--pwfile', passwordFile, '--auth', 'scram-sha-256'];
  const initdb = [join(bin, 'initdb'), '--pgdata', data, '--encoding', 'UTF8', '--locale', 'C.UTF-8', ...auth];
  await execa('setpriv', [...asPostgres, ...initdb], { cwd: data, env: {}, extendEnv: false });
  await rm(passwordFile);
  const settings = { port: String(port), listen_addresses: '127.0.0.1', unix_socket_directories: data };
  const server = new Supervised(
    {
      command: join(bin, 'postgres'),
      args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      env: { LANG: 'C.UTF-8' },
      cwd: data,
      user: 'postgres',
      log: join(directory, 'postgres.log'),
    },
    restart,
  );
  const client = { PATH: `${bin}:/usr/bin:/bin`, PGHOST: '127.0.0.1', PGPORT: String(port), PGUSER: user };
  return {
    server,
    isHealthy: async ([kind, ...words]) => {
      const [command = '', ...args] = kind === 'CMD-SHELL' ? ['sh', '-c', ...words] : words;
      return (await execa(command, args, { env: client, extendEnv: false, reject: false })).exitCode === 0;
    },
    query: async (database, sql) => {
      const env = { ...client, PGPASSWORD: password };
      const args = ['--no-psqlrc', '--tuples-only', '--no-align', '--dbname', database, '--command', sql];
      return (await execa('psql', args, { env, extendEnv: false })).stdout.split('\n').filter((line) => line !== '');
    },
  };
}
