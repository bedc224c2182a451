import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { type Lab, type LabHost, labUp } from '../../lab/hosts/index.js';
import { ensureBundle } from '../../src/artifacts/bundle.js';
import { machineArchitecture } from '../../src/artifacts/recipes.js';
import { DEFAULTS } from '../../src/cluster/defaults.js';
import { eventually } from './lab-hosts.js';
import { loadCompose } from './teams/compose.js';
import { TeamStack } from './teams/stack.js';

/**
 * One story, told in order: the services of docker-compose.yml, without containers, on a real PostgreSQL. An install
 * runs on them while server and database are killed, and is still known after all of it was restarted. What came of it
 * is asked of Temporal's own command line, of the database and of the host.
 */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PROGRAM = join(ROOT, 'bin', 'kubewright.mjs');
const NAMESPACE = 'kubewright';
const LONG_MS = 240_000;

let lab: Lab;
let host: LabHost;
let stack: TeamStack;
let clusterFile: string;
/** The install that is under way, where a test failed before it ended. */
let install: ReturnType<typeof kubewright> | undefined;

beforeAll(async () => {
  await ensureBundle({ version: DEFAULTS.kubernetes.version, arch: machineArchitecture() ?? 'amd64' });
  lab = await labUp({ name: 'teams', hosts: 1, replace: true });
  host = lab.host('cp-1');
  stack = await TeamStack.make(lab.files);
  clusterFile = join(stack.directory, 'cluster.yaml');
  await writeFile(clusterFile, await clusterForWorker(lab.files.clusterFile));
}, 1_800_000);

afterAll(async () => {
  install?.kill('SIGKILL');
  await install;
  await stack?.remove();
  await lab?.down();
});

/** The lab's cluster as a team writes it: paths are those of the worker's container, and the one host takes pods. */
async function clusterForWorker(file: string): Promise<string> {
  const document = parseDocument(await readFile(file, 'utf8'));
  document.setIn(['spec', 'ssh', 'keyFile'], '~/.ssh/id_ed25519');
  document.setIn(['spec', 'ssh', 'knownHostsFile'], '~/.ssh/known_hosts');
  document.setIn(['spec', 'hosts', 0, 'taints'], []);
  return document.toString();
}

/** The command line as a member of the team runs it: with an address, and with no secrets. */
function kubewright(...args: string[]) {
  const where = ['--address', stack.address, '--namespace', NAMESPACE, '--state-dir', join(stack.directory, 'state')];
  return execa(process.execPath, [PROGRAM, ...args, ...where], {
    env: { PATH: process.env.PATH, HOME: join(stack.directory, 'nobody') },
    extendEnv: false,
    stdin: 'ignore',
    all: true,
    reject: false,
    timeout: 600_000,
  });
}

/** Kills a service with SIGKILL and waits for the process that its restart policy brings. */
async function killAndAwaitRestart(service: TeamStack['temporal'], name: 'postgres' | 'temporal'): Promise<void> {
  const before = service.pid;
  expect(before, `${name} runs`).toBeDefined();
  await service.kill();
  await eventually(async () => service.pid !== undefined && service.pid !== before, `${name} is started again`, 60_000);
  await stack.untilHealthy(name);
}

const existsOnHost = async (path: string): Promise<boolean> =>
  (await host.exec(`test -e ${path}`, { allowFailure: true })).exitCode === 0;

test('Compose’s own loader takes the file, and refuses it without a password', async () => {
  expect(Object.keys(stack.compose.services).sort()).toEqual([
    'namespace',
    'postgres',
    'schema',
    'temporal',
    'ui',
    'worker',
  ]);
  const ports = Object.values(stack.compose.services).flatMap(({ ports = [] }) => ports);
  expect(ports.map(({ host_ip, published }) => `${host_ip}:${published}`).sort()).toEqual([
    '127.0.0.1:7233',
    '127.0.0.1:8080',
  ]);
  expect(stack.compose.volumes.pgdata?.name).toBe('kubewright_pgdata');
  const project = join(stack.directory, 'project');
  const complete = await readFile(join(project, '.env'), 'utf8');
  for (const name of ['TEMPORAL_DB_PASSWORD', 'KUBEWRIGHT_SSH_DIRECTORY', 'KUBEWRIGHT_BUNDLES']) {
    await writeFile(join(project, '.env'), complete.replace(new RegExp(`^${name}=.*$`, 'm'), `${name}=`));
    await expect(loadCompose(stack.programs.composeSpec, project)).rejects.toThrow(name);
  }
  await writeFile(join(project, '.env'), complete);
});

test('the schema that the unit test holds the file to is that of the loader', async () => {
  const read = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as unknown;
  const kept = await read(join(ROOT, 'test', 'unit', 'teams', 'compose-spec.json'));
  expect(kept).toEqual(await read(stack.programs.composeSchema));
});

test('up makes the tables, the namespace and the search attributes; again, it changes nothing', async () => {
  await stack.up();
  const facts = async () => ({
    versions: [
      await stack.postgres.query('temporal', 'SELECT db_name, curr_version FROM schema_version'),
      await stack.postgres.query('temporal_visibility', 'SELECT db_name, curr_version FROM schema_version'),
    ],
    updates: await stack.postgres.query('temporal', 'SELECT count(*) FROM schema_update_history'),
    namespace: await stack.ask<object>('operator', 'namespace', 'describe', '--namespace', NAMESPACE),
    attributes: await stack.ask<object>('operator', 'search-attribute', 'list', '--namespace', NAMESPACE),
  });
  const first = await facts();
  expect(first.versions).toEqual([['temporal|1.19'], ['temporal_visibility|1.14']]);
  // 90 days.
  expect(JSON.stringify(first.namespace)).toContain('"workflowExecutionRetentionTtl":"7776000s"');
  expect(JSON.stringify(first.attributes)).toMatch(/"KubewrightBlockedSteps":"\w*KEYWORD_LIST"/i);
  for (const name of [
    'KubewrightCluster',
    'KubewrightOperation',
    'KubewrightState',
    'KubewrightPhase',
    'KubewrightHealth',
  ]) {
    expect(JSON.stringify(first.attributes)).toMatch(new RegExp(`"${name}":"\\w*KEYWORD"`, 'i'));
  }
  await stack.runOnce('schema');
  await stack.runOnce('namespace');
  expect(await facts()).toEqual(first);
}, 300_000);

test('the worker’s health check tells a worker from none', async () => {
  expect(await stack.workerHealth()).not.toBe(0);
  stack.worker.start();
  await eventually(async () => (await stack.workerHealth()) === 0, 'the worker is healthy', 60_000);
}, 120_000);

test('an install ends well although server and database are killed in the middle of it', async () => {
  install = kubewright('install', clusterFile, '--no-worker', '--no-wait');
  let ended: string | undefined;
  void install.then(({ all }) => {
    ended = all;
  });
  const untilHost = async (path: string): Promise<void> => {
    await eventually(async () => ended !== undefined || (await existsOnHost(path)), `${path} on the host`, LONG_MS);
    expect(ended, `the install ended before ${path} was there`).toBeUndefined();
  };
  await untilHost('/usr/local/bin/kubelet');
  await killAndAwaitRestart(stack.temporal, 'temporal');
  await untilHost('/etc/kubernetes/manifests/kube-apiserver.yaml');
  await killAndAwaitRestart(stack.postgres.server, 'postgres');
  await stack.untilHealthy('temporal');
  const { exitCode, all } = await install;
  expect(exitCode, `${all}\n${await stack.worker.lastWords()}`).toBe(0);
  expect(stack.worker.starts).toBe(1);
  const { stdout } = await host.exec('kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes --no-headers');
  expect(stdout.trim()).toMatch(/^cp-1 +Ready +control-plane +\S+ +v1\.34\.3$/);
}, 600_000);

test('after a restart of everything the install is still in the list', async () => {
  await stack.stop();
  expect((await kubewright('status')).exitCode).not.toBe(0);
  await stack.up();
  const { stdout } = await kubewright('status', '--json');
  const objects = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(objects[0]).toMatchObject({ type: 'install', workflowId: 'cluster/teams', status: 'completed' });
  expect(objects[1]).toMatchObject({ type: 'cluster', state: 'well' });
  expect(objects.at(-1)).toMatchObject({ type: 'end', exitCode: 0 });
  const listed = await stack.ask<{ execution: { workflowId: string }; status: string }[]>(
    ...['workflow', 'list', '--namespace', NAMESPACE, '--query', "KubewrightCluster = 'teams'"],
  );
  expect(listed.map(({ execution, status }) => [execution.workflowId, status])).toEqual([
    ['cluster/teams', 'WORKFLOW_EXECUTION_STATUS_COMPLETED'],
  ]);
  const kept = "SELECT workflow_id FROM executions_visibility WHERE workflow_type_name = 'installCluster'";
  expect(await stack.postgres.query('temporal_visibility', kept)).toEqual(['cluster/teams']);
}, 300_000);
