import { KubewrightError } from '../../errors.js';
import { requireYes } from '../answers.js';
import { type ReadyControlPlane, requireControlPlane } from '../kubeadm/control-plane.js';
import type { StepContext, StepImplementation } from '../types.js';
import { standing, writtenWith } from './in-etcd.js';
import type { KeyFile } from './key-file.js';
import { keyFileOn } from './on-host.js';
import { targetOf } from './target.js';

const TIMEOUT_SECONDS = 3_600;

/**
 * Every object that the configuration encrypts is in etcd with the new key. Those that are not get a patch that changes nothing, at which an
 * API server writes what is stale with its first key; so what was done stays done, however often it is interrupted.
 */
export const rewriteSecrets: StepImplementation = {
  async probe(context) {
    const { to } = targetOf(context);
    const asked = await requireControlPlane(context);
    const written = await writtenWith(context, asked, await encryptedBy(context, asked), to);
    if (written.is === 'unknown') {
      return { done: false, found: written.why, changes: ['ask etcd'], unasked: written.why };
    }
    const { total, left, named } = requireYes(written, 'with which key the Secrets in etcd are encrypted');
    if (left === 0) return { done: true, found: `all ${total} objects in etcd are encrypted with ${to}`, changes: [] };
    const found = `${left} of ${total} objects in etcd are not encrypted with ${to}, such as ${named.join(', ')}`;
    return { done: false, found, changes: [`write ${left} objects anew`] };
  },

  /** @throws KubewrightError KW431 where some could not be written; KW388 where the host's file cannot be understood */
  async apply(context) {
    const asked = await requireControlPlane(context);
    const script = rewriteScript(asked.kubectl, await encryptedBy(context, asked), targetOf(context).to);
    await context.durable('rewrite', script, {
      host: asked.remote,
      timeoutSeconds: TIMEOUT_SECONDS,
      hint: 'The last lines say what does not answer, or which objects are left and what the API server said of them: most often an admission webhook that refuses them or does not answer. Mend that, then retry the step.',
    });
  },
};

async function encryptedBy(context: StepContext, { host }: ReadyControlPlane): Promise<KeyFile> {
  const file = await keyFileOn(context, host);
  if (file.is === 'yes') return file.value;
  throw new KubewrightError('KW388', file.is === 'no' ? file.evidence : `the file cannot be understood: ${file.why}`, {
    host: host.name,
    hint: 'Put the file of another control plane there (mode 0600, root), then retry the step.',
  });
}

/** Objects that one kubectl is told of. */
const AT_ONCE = 40;
const ROUNDS = 4;

/** Longer than an admission webhook may take (10 s by default, 30 s at most): else only kubectl would say that it was too slow. */
const PATCH = '--request-timeout=40s';

/** Of errors only their kind leaves kubectl, and which webhook it was: a webhook's own words may tell of what is in a Secret. */
const KINDS =
  '^Error from server( \\([A-Za-z]+\\))?|webhook "[A-Za-z0-9./-]+"|^The connection to the server|^Unable to connect|Client\\.Timeout|context deadline exceeded';

/**
 * Not `kubectl replace`, which rewrites the annotation of `kubectl apply` to the whole of a living object: the next apply would delete what
 * a controller has put in. An empty patch changes nothing, and nothing that is in a Secret comes to the host.
 *
 * One that was changed meanwhile has the new key by that, and one that was deleted is not found: the next round sees both. An etcd or an API
 * server that is away for a moment, as in an election, is waited for.
 */
function rewriteScript(kubectl: string, encrypted: KeyFile, key: string): string {
  return `${standing(encrypted, key)}
grouped() {
  awk -v most=${AT_ONCE} '
    function flush() { if (count) print group names; count = 0; names = "" }
    {
      parts = split($2, path, "/")
      now = path[parts - 2] " " path[parts - 1]
      if (now != group || count == most) { flush(); group = now }
      names = names " " path[parts]
      count++
    }
    END { flush() }'
}
rewrite() {
  local resource=$1 namespace=$2
  shift 2
  ${kubectl} ${PATCH} -n "$namespace" patch "$resource" "$@" --type=merge -p '{}' </dev/null 2>&1 >/dev/null | grep -oE '${KINDS}' || true
}
look() {
  local try
  for try in {1..20}; do
    if left=$(standing) && ${kubectl} get --raw /readyz >/dev/null 2>&1; then
      left=$(sed -n '/^left /p' <<<"$left")
      return 0
    fi
    sleep 3
  done
  echo 'etcd or the API server does not answer'
  return 1
}
for round in {1..${ROUNDS}}; do
  look || exit 1
  [ -n "$left" ] || { echo 'all of them are written with the new key'; exit 0; }
  echo "$(wc -l <<<"$left") objects are to be written anew (round $round)"
  while read -r -a words; do rewrite "\${words[@]}"; done < <(grouped <<<"$left") | sort | uniq -c
  [ "$round" = 1 ] || sleep 1
done
look || exit 1
[ -n "$left" ] || { echo 'all of them are written with the new key'; exit 0; }
echo "$(wc -l <<<"$left") objects are left:"
head -n 20 <<<"$left"
exit 1
`;
}
