import { createHmac, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { healthVariables } from '../../cluster/health/settings.js';
import type { Cluster } from '../../cluster/types.js';
import { componentsOf } from '../../components/registry/plan.js';

/** What the steps of a cluster look up in their worker's environment. */
export interface WorkerNeeds {
  /** Names of variables that hold sudo passwords, the login of a registry, contents of files and other secrets that the file names. */
  variables: string[];
  /** Whether the SSH agent may be asked. */
  agent: boolean;
}

export const NO_NEEDS: WorkerNeeds = { variables: [], agent: false };

/**
 * What a worker's record says of the environment it was started with. Values of variables are there as keyed hashes only:
 * two can be compared, and none can be guessed without the key, which is in a file of its own with mode 0600.
 */
export interface WorkerEnvironment {
  /** Path of the agent's socket (`SSH_AUTH_SOCK`). */
  agent: string | null;
  /** By the variable's name; null when it was not set. */
  variables: Record<string, string | null>;
  /** Ids of the payload keys, which are no secret: they stand in every encrypted payload. */
  payloadKeys: string[];
}

/** What the steps of this cluster look up in their worker's environment. */
export function needsOf(cluster: Cluster): WorkerNeeds {
  const settings = cluster.hosts.map((host) => host.ssh);
  const files = (cluster.kubernetes.files ?? []).map(({ env }) => env);
  const login = cluster.packages.registry?.loginEnv ?? null;
  const names = [...settings.map((ssh) => ssh.sudoPasswordEnv), ...files, login].filter((name) => name !== null);
  const secrets = componentsOf(cluster).flatMap((component) => component.secrets?.(cluster) ?? []);
  const told = healthVariables(cluster.health);
  return { variables: [...new Set([...names, ...secrets, ...told])].sort(), agent: settings.some((ssh) => ssh.agent) };
}

/** What a worker with this environment would have of what is needed. */
export async function environmentFor(
  stateDir: string,
  env: NodeJS.ProcessEnv,
  needs: WorkerNeeds,
  payloadKeys: string[] = [],
): Promise<WorkerEnvironment> {
  const key = needs.variables.length === 0 ? Buffer.alloc(0) : await hashKey(stateDir);
  const hash = (value: string): string => createHmac('sha256', key).update(value).digest('hex');
  const entries = needs.variables.map((name) => [name, env[name] ? hash(`${name}=${env[name]}`) : null] as const);
  return { agent: env.SSH_AUTH_SOCK || null, variables: Object.fromEntries(entries), payloadKeys };
}

/**
 * Names of what `wanted` has and `present` has not, or has another value of. What `wanted` lacks itself is no difference: a
 * terminal that has nothing to give is content with what there is. An agent that does not answer is nothing.
 */
export async function differences(
  present: WorkerEnvironment | undefined,
  wanted: WorkerEnvironment,
  needs: WorkerNeeds,
): Promise<string[]> {
  const names = Object.entries(wanted.variables)
    .filter(([name, value]) => value !== null && present?.variables[name] !== value)
    .map(([name]) => name);
  const { agent, payloadKeys } = wanted;
  if (needs.agent && agent !== null && present?.agent !== agent && (await answersAt(agent)))
    names.push('SSH_AUTH_SOCK');
  if (payloadKeys.some((key) => !present?.payloadKeys.includes(key))) names.push('KUBEWRIGHT_PAYLOAD_KEY');
  return names;
}

/** A random key of this state directory. Whoever comes first makes it; when it is lost, workers are merely started anew. */
async function hashKey(stateDir: string): Promise<Buffer> {
  const file = join(stateDir, 'environment.key');
  await writeFile(file, randomBytes(32), { mode: 0o600, flag: 'wx' }).catch(() => {});
  return readFile(file);
}

function answersAt(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path: socketPath });
    const end = (up: boolean): void => {
      socket.destroy();
      resolve(up);
    };
    socket.setTimeout(1_000, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
