import { ENCRYPTION_DIRECTORY, ENCRYPTION_PATH } from '../../cluster/security/paths.js';
import { hostsOf } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import { listed, preflightError } from '../prepare/checks/problem.js';
import { hostOf } from '../prepare/target.js';
import type { StepContext, StepImplementation } from '../types.js';
import { type KeyLook, lookAtKey, lookAtKeys } from './look.js';
import { problemsOfKeys } from './problems.js';
import { registerKeys } from './registered.js';

/**
 * The key with which API servers encrypt Secrets in etcd. It is made once, on the first control plane, by that host's kernel;
 * every other one gets it from one that has it, through this process's memory. Where a cluster lives none is ever made: a
 * control plane that lost it gets it back from another one.
 */
export const deliverEncryptionKey: StepImplementation = {
  async probe(context) {
    const { digest, isClosed } = await lookAtKey(context, hostOf(context));
    if (digest.is === 'yes' && isClosed) {
      const found = `the key is in ${ENCRYPTION_PATH}, root's alone; every control plane has it: back it up`;
      return { done: true, found, changes: [] };
    }
    const change = digest.is === 'yes' ? `close ${ENCRYPTION_PATH} to all but root` : 'make the key, or fetch it';
    const unasked = digest.is === 'unknown' ? { unasked: digest.why } : {};
    return {
      done: false,
      found: digest.is === 'yes' ? 'others may read the key' : 'the key is not there',
      changes: [change],
      ...unasked,
    };
  },

  /**
   * @throws KubewrightError KW382, KW383 and KW384 as the preflight; KW490 (transient) where it cannot be told whether there
   * is a key already
   */
  async apply(context) {
    const looks = await lookAtKeys(context);
    const problems = problemsOfKeys(context.cluster, looks);
    if (problems.length > 0) throw preflightError(problems);
    const own = looks.find(({ host }) => host.name === context.host.name);
    if (own?.digest.is === 'yes') return close(context);
    const owner = looks.find(({ digest }) => digest.is === 'yes');
    if (owner !== undefined) return fetchKey(context, owner);
    requireNone(context, looks);
    await make(context);
  },
};

async function close({ host, signal }: StepContext): Promise<void> {
  await host.run(`set -e\nchown root:root ${ENCRYPTION_PATH}\nchmod 0600 ${ENCRYPTION_PATH}\n`, { signal });
}

async function fetchKey(context: StepContext, { host: { name } }: KeyLook): Promise<void> {
  const content = await context.hostNamed(name).readFile(ENCRYPTION_PATH);
  if (content === undefined) throw cannotTell(context.host.name, `${ENCRYPTION_PATH} was on ${name} a moment ago`);
  registerKeys(content.toString('utf8'));
  await context.host.writeFile(ENCRYPTION_PATH, content, { mode: 0o600 });
}

/** A second key beside one that is in use could not read what that one wrote. */
function requireNone(context: StepContext, looks: KeyLook[]): void {
  const { name } = context.host;
  const silent = looks.filter(({ digest, begun }) => digest.is === 'unknown' || begun.is === 'unknown');
  if (silent.length > 0) throw cannotTell(name, `no answer from ${listed(silent.map(({ host }) => host.name))}`);
  const begun = looks.filter((look) => look.begun.is === 'yes').map(({ host }) => host.name);
  if (begun.length > 0)
    throw cannotTell(name, `the cluster lives on ${listed(begun)}, which ${begun.length === 1 ? 'has' : 'have'} none`);
  const first = hostsOf(context.wholeCluster, 'control-plane')[0]?.name;
  if (first !== name) throw cannotTell(name, `it is made on ${first}, which does not have it yet`);
}

function cannotTell(host: string, why: string): KubewrightError {
  return new KubewrightError('KW490', `cannot tell which key encrypts this cluster's Secrets: ${why}`, {
    host,
    transient: true,
    hint: 'No key was made. It is asked again by itself; bring the hosts back that the message names.',
  });
}

/** The link is granted once: of two attempts that come at the same moment one makes the key, and the other one finds it. */
async function make(context: StepContext): Promise<void> {
  const provider = context.cluster.security?.secretsEncryption;
  const script = `set -euo pipefail
umask 077
mkdir -p ${ENCRYPTION_DIRECTORY}
temp=$(mktemp ${ENCRYPTION_DIRECTORY}/.kubewright.XXXXXXXX)
trap 'rm -f -- "$temp"' EXIT
{
  printf '%s\\n' '# Written by Kubewright. Without this key nobody reads the Secrets that are in etcd: back it up.' \\
    'apiVersion: apiserver.config.k8s.io/v1' 'kind: EncryptionConfiguration' 'resources:' '  - resources: [secrets]' \\
    '    providers:' '      - ${provider}:' '          keys:' "            - name: key-$(date -u +%Y%m%d-%H%M%S)"
  printf '              secret: '
  head -c 32 /dev/urandom | base64 -w 0
  printf '\\n'
} >"$temp"
sync "$temp"
ln "$temp" ${ENCRYPTION_PATH} 2>/dev/null || [ -e ${ENCRYPTION_PATH} ]
sync ${ENCRYPTION_DIRECTORY}
`;
  await context.host.run(script, { signal: context.signal });
}
