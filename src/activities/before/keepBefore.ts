import type { Cluster, ClusterHost } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import type { RemoteHost } from '../../hosts/types.js';
import { MODULES_PATH } from '../../render/modules.js';
import { OWNER_PATH } from '../../render/owner.js';
import { OLD_SYSCTL_PATH, SYSCTL_PATH } from '../../render/sysctl.js';
import { BEFORE_DIRECTORY } from './places.js';
import { stateFunction, statePaths } from './state-script.js';

/** With any of these a host is not any more what it was: what it was before is known already, or to nobody. */
const CHANGED_BY_US = [OWNER_PATH, MODULES_PATH, SYSCTL_PATH, OLD_SYSCTL_PATH];

/** A host with thousands of packages and a slow disk, or under emulation, takes a while. */
const TAKE_MS = 180_000;

/**
 * Writes down what a host is, before the first change: `reset` brings that back, and compares the host with it. In one round trip, and
 * once: what is there stays, and a host that was changed before this was written gets none.
 *
 * @throws KubewrightError KW401 when the host cannot keep it
 */
export async function keepBefore(
  remote: RemoteHost,
  cluster: Cluster,
  host: ClusterHost,
  signal: AbortSignal,
): Promise<void> {
  const { exitCode, stderr } = await remote.run(keepScript(cluster, host), {
    signal,
    timeoutMs: TAKE_MS,
    allowFailure: true,
  });
  if (exitCode === 0) return;
  throw new KubewrightError(
    'KW401',
    `what the host was before cannot be kept: ${stderr.trim().split('\n').at(-1) || `exit code ${exitCode}`}`,
    {
      host: remote.name,
      hint: `Nothing was changed. See that ${BEFORE_DIRECTORY} can be written there (a full or read-only disk), then retry the step.`,
    },
  );
}

/**
 * Bash. The directory gets its name when all of it is there, so that one that is there is whole. Exported for its test in a real bash.
 */
export function keepScript(cluster: Cluster, host: Pick<ClusterHost, 'role'>): string {
  return `set +e
before=${BEFORE_DIRECTORY}
fail() { echo "$1" >&2; [ -z "\${new:-}" ] || rm -rf -- "$new"; exit 1; }
[ ! -e "$before" ] || { echo kept; exit 0; }
for path in ${CHANGED_BY_US.join(' ')}; do [ ! -e "$path" ] || { echo late; exit 0; }; done
shopt -s nullglob
${stateFunction(cluster, host)}umask 077
mkdir -p "\${before%/*}" && rm -rf -- "$before".new.* && new=$(mktemp -d "$before.new.XXXXXX") || fail "cannot write in \${before%/*}"
mkdir "$new/files" && state >"$new/state" && [ -s "$new/state" ] || fail 'its state cannot be written'
for path in ${statePaths(cluster).join(' ')}; do
  if [ -f "$path" ] || [ -L "$path" ]; then (cd / && cp -a --parents -- "\${path#/}" "$new/files") || fail "cannot copy $path"; fi
done
date -u +%Y-%m-%dT%H:%M:%SZ >"$new/at" && sync "$new"/* && chmod 700 "$new" || fail 'it cannot be written to the disk'
mv -T -- "$new" "$before" || { [ -e "$before/state" ] && rm -rf -- "$new"; } || fail "cannot make $before"
echo taken
`;
}
