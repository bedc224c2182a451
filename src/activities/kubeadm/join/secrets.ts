import { randomBytes, randomInt } from 'node:crypto';
import type { ClusterHost } from '../../../cluster/types.js';
import { registerMinted } from '../../../hosts/redact.js';
import { quote } from '../../../hosts/shell.js';
import { renderUploadCertsConfig } from '../../../render/kubeadm.js';
import type { StepContext } from '../../types.js';
import type { ReadyControlPlane } from '../control-plane.js';
import { CERTIFICATE_KEY_FILE, TOKEN_FILE } from './script.js';

/** Label on the tokens that were minted for one host's joins: its value is the host's name. */
const JOIN_LABEL = 'kubewright.dev/join';

/** As long as a join may take. It is deleted when the join is done; this is for when nobody is there to do so. */
const TOKEN_MINUTES = 20;
/** Put in by the control plane, whose clock is the one that the token is judged by: the worker's may be wrong. */
const EXPIRATION_MARK = '@EXPIRATION@';

/**
 * Makes what one join needs: a bootstrap token, and for a control plane the cluster's certificates as a Secret that is
 * encrypted with a new key. Nothing of it is in an argument list, on a disk or in a history: it travels on standard input
 * and lives in this process until the join has it. The token is deleted afterwards; the Secret is kubeadm's own, which
 * its own token takes away after two hours and nobody can read, for then the key is nowhere any more.
 */
export async function mintJoinSecrets(
  context: StepContext,
  via: ReadyControlPlane,
  host: ClusterHost,
): Promise<Record<string, string>> {
  const id = randomText(6);
  const secret = randomText(16);
  const token = `${id}.${secret}`;
  registerMinted(token);
  const { signal } = context;
  const mint = `expiration=$(date --utc --date='+${TOKEN_MINUTES} minutes' +%Y-%m-%dT%H:%M:%SZ) || exit 1
secret=$(cat)
printf %s "\${secret/${EXPIRATION_MARK}/$expiration}" | ${via.kubectl} create -f - >/dev/null
`;
  const minted = via.remote.run(mint, { input: tokenSecret(host, id, secret), signal });
  if (host.role !== 'control-plane') {
    await minted;
    return { [TOKEN_FILE]: token };
  }
  const certificateKey = randomBytes(32).toString('hex');
  registerMinted(certificateKey);
  const config = renderUploadCertsConfig(context.cluster, via.host, certificateKey);
  await Promise.all([minted, via.remote.run(UPLOAD, { input: config, signal, timeoutMs: 60_000 })]);
  return { [TOKEN_FILE]: token, [CERTIFICATE_KEY_FILE]: certificateKey };
}

const UPLOAD = 'kubeadm init phase upload-certs --upload-certs --skip-certificate-key-print --config=/dev/stdin\n';

/** Deletes the tokens of a host's joins, also those of attempts of which nothing is known any more. */
export async function revokeJoinSecrets(
  context: StepContext,
  via: ReadyControlPlane,
  host: ClusterHost,
): Promise<void> {
  const selector = quote(`${JOIN_LABEL}=${host.name}`);
  const script = `${via.kubectl} --namespace=kube-system delete secret --selector=${selector} --ignore-not-found`;
  await via.remote.run(script, { signal: context.signal });
}

/**
 * Tokens of joins that ended while nobody was there to revoke them, such as one whose worker was killed at its end:
 * `secret/NAME`. To be asked when no join runs any more.
 */
export function leftJoinSecrets(via: ReadyControlPlane): string {
  return `${via.kubectl} --namespace=kube-system get secrets --selector=${JOIN_LABEL} -o name`;
}

/** Deletes them. */
export async function revokeLeftJoinSecrets(context: StepContext, via: ReadyControlPlane): Promise<void> {
  const script = `${via.kubectl} --namespace=kube-system delete secrets --selector=${JOIN_LABEL} --ignore-not-found`;
  await via.remote.run(script, { signal: context.signal });
}

/** https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/#bootstrap-token-secret-format */
function tokenSecret(host: ClusterHost, id: string, secret: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'bootstrap.kubernetes.io/token',
    metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system', labels: { [JOIN_LABEL]: host.name } },
    stringData: {
      description: `Kubewright: join of ${host.name}`,
      'token-id': id,
      'token-secret': secret,
      expiration: EXPIRATION_MARK,
      'usage-bootstrap-authentication': 'true',
      // kubeadm gives this group the right to post and have approved a node's certificate request.
      'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
    },
  });
}

function randomText(length: number): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}
