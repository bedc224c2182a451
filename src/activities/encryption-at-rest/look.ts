import { ENCRYPTION_PATH } from '../../cluster/security/paths.js';
import { type ClusterHost, hostsOf } from '../../cluster/types.js';
import { isKubewrightError } from '../../errors.js';
import { MANIFESTS_DIRECTORY } from '../../render/kubeadm-paths.js';
import { type Answer, unknown } from '../answers.js';
import { ADMIN_KUBECONFIG } from '../kubeadm/control-plane.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';

/** How the key of encryption at rest stands on one control plane. */
export interface KeyLook {
  host: ClusterHost;
  /** SHA-256 of the file with it: with 256 random bits in it, the digest tells nothing of them. */
  digest: Answer<string>;
  /** Whether it is root's alone. */
  isClosed: boolean;
  /** Providers that the file names, the one that writes first. */
  providers: string[];
  /** Whether the file says that one key takes the place of another. */
  rotating: boolean;
  /** Whether a cluster has begun on the host. */
  begun: Answer<string>;
  /** Whether its API server is told to encrypt. */
  encrypts: boolean;
}

const PROVIDERS = `sed -nE 's/^ *- *(secretbox|aescbc|aesgcm|kms|identity):.*/\\1/p' ${ENCRYPTION_PATH}`;

/** Asks every control plane. One that cannot be reached has said nothing. */
export function lookAtKeys(context: StepContext): Promise<KeyLook[]> {
  return Promise.all(hostsOf(context.wholeCluster, 'control-plane').map((host) => lookAtKey(context, host)));
}

/** Asks one control plane; of the file only its digest and the names of providers leave the host. */
export async function lookAtKey(context: StepContext, host: ClusterHost): Promise<KeyLook> {
  const script = `closed() { [ "$(stat -L -c '%a %U:%G' -- "$1")" = '600 root:root' ]; }
key_digest() { exists "$1" || return; digest "$1"; }
providers() { ${PROVIDERS}; }
ask key key_digest ${ENCRYPTION_PATH}
fact closed closed ${ENCRYPTION_PATH}
fact providers providers
fact rotating grep -qE '^# kubewright: [^ ]+ takes the place of ' ${ENCRYPTION_PATH}
ask begun exists ${ADMIN_KUBECONFIG} ${MANIFESTS_DIRECTORY}/kube-apiserver.yaml
fact encrypts grep -q -e --encryption-provider-config= ${MANIFESTS_DIRECTORY}/kube-apiserver.yaml`;
  try {
    const facts = await gatherFacts(context.hostNamed(host.name), script, context.signal);
    return {
      host,
      digest: facts.answer('key', `${host.name} has no key`),
      isClosed: facts.holds('closed'),
      providers: facts.text('providers').split('\n').filter(Boolean),
      rotating: facts.holds('rotating'),
      begun: facts.answer('begun', `no cluster has begun on ${host.name}`),
      encrypts: facts.holds('encrypts'),
    };
  } catch (error) {
    // Unreachable hosts (KW2xx) and those that hang are a normal branch here; anything else is not.
    if (!isKubewrightError(error) || !error.transient) throw error;
    const silent = unknown(error.message);
    return {
      host,
      digest: silent,
      isClosed: false,
      providers: [],
      rotating: false,
      begun: silent,
      encrypts: false,
    };
  }
}
