import { ENCRYPTION_DIRECTORY, ENCRYPTION_PATH } from '../../cluster/security/paths.js';
import type { ClusterHost } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import { type Answer, no } from '../answers.js';
import { registerKeys } from '../encryption-at-rest/registered.js';
import { kubectl } from '../kubeadm/control-plane.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';
import { type KeyFile, NEW_KEY, parseKeyFile } from './key-file.js';

/** The file of one control plane. It is in this process's memory from then on, and shown nowhere. */
export async function keyFileOn(
  { hostNamed }: StepContext,
  { name }: Pick<ClusterHost, 'name'>,
): Promise<Answer<KeyFile>> {
  const content = await hostNamed(name).readFile(ENCRYPTION_PATH);
  if (content === undefined) return no(`${name} has no ${ENCRYPTION_PATH}`);
  const text = content.toString('utf8');
  registerKeys(text);
  return parseKeyFile(text);
}

/** Exit status of a script that found another file than it was made for. */
const CHANGED = 75;

/**
 * Puts a new file in the place of the one that was read, in one piece, and only if that one is still there: an attempt that hung
 * on its way changes nothing any more once a later one has. A new key is made by the host itself.
 *
 * @param digest of the file that was read; undefined where there was none
 * @throws KubewrightError KW496 (transient) where another file is there by now
 */
export async function replaceKeyFile(
  { host, signal }: StepContext,
  digest: string | undefined,
  text: string,
): Promise<void> {
  const { exitCode, stderr } = await host.run(replaceScript(digest), { signal, input: text, allowFailure: true });
  if (exitCode === 0) return;
  const why = stderr.trim().split('\n').at(-1) || `exit code ${exitCode}`;
  const what = exitCode === CHANGED ? 'was changed by somebody else meanwhile' : `could not be written: ${why}`;
  throw new KubewrightError('KW496', `${ENCRYPTION_PATH} ${what}`, {
    host: host.name,
    transient: true,
    hint: 'It has the former content or the new one, never a part. It is looked at again by itself; if it stays so, see that nobody else edits the file and that the disk can be written.',
  });
}

/** The key is in no argument list: only builtins of bash see it. */
function replaceScript(digest = ''): string {
  return `set -euo pipefail
umask 077
mkdir -p ${ENCRYPTION_DIRECTORY}
exec 9<${ENCRYPTION_DIRECTORY}
flock -w 20 9
now=
[ ! -e ${ENCRYPTION_PATH} ] || now=$(sha256sum <${ENCRYPTION_PATH} | cut -c 1-64)
[ "$now" = '${digest}' ] || exit ${CHANGED}
# What a host that lost its power in the middle has left: a copy of keys.
rm -f -- ${ENCRYPTION_DIRECTORY}/.kubewright.????????
text=$(cat; printf x)
text=\${text%x}
if [[ $text == *'${NEW_KEY}'* ]]; then
  key=$(head -c 32 /dev/urandom | base64 -w 0)
  [ "\${#key}" = 44 ]
  text=\${text/'${NEW_KEY}'/"$key"}
fi
temp=$(mktemp ${ENCRYPTION_DIRECTORY}/.kubewright.XXXXXXXX)
trap 'rm -f -- "$temp"' EXIT
printf %s "$text" >"$temp"
sync "$temp"
mv -T -- "$temp" ${ENCRYPTION_PATH}
sync ${ENCRYPTION_DIRECTORY}
`;
}

const LOADED = 'apiserver_encryption_config_controller_last_config_info';

/**
 * SHA-256 of the file that an API server works with, as its metrics say (every one since Kubernetes 1.34, at its start and
 * after each reload): that a file lies on the disk says nothing of the process.
 */
export async function loadedOn(
  { cluster, hostNamed, signal }: StepContext,
  host: ClusterHost,
): Promise<Answer<string>> {
  const script = `loaded() {
  local hash
  hash=$(set -o pipefail; ${kubectl(cluster, host)} get --raw /metrics | sed -nE 's/^${LOADED}[{].*[{,]hash="[^"]*([0-9a-f]{64})".*/\\1/p') || return 1
  [ -n "$hash" ] || { echo 'its metrics do not say which file it has loaded' >&2; return 1; }
  printf '%s\\n' "$hash"
}
ask loaded loaded`;
  const facts = await gatherFacts(hostNamed(host.name), script, signal);
  return facts.answer('loaded', 'it has loaded none');
}
