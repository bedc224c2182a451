import { MANIFESTS_DIRECTORY } from '../../render/kubeadm-paths.js';
import { type Answer, refine, unknown, yes } from '../answers.js';
import type { ReadyControlPlane } from '../kubeadm/control-plane.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';
import type { KeyFile } from './key-file.js';

/** With which key the objects in etcd are encrypted. */
export interface Written {
  total: number;
  /** How many of them not with the key that was asked for. */
  left: number;
  /** Some of those, by their keys in etcd, which are names. */
  named: string[];
}

/** What was encrypted, and how. */
export type Encrypted = Pick<KeyFile, 'provider' | 'resources'>;

const NAMED = 3;
const PAGE = 500;

/**
 * Bash functions for a control plane. `standing` prints a line for each encrypted object, `ok KEY` or `left KEY`, page by page: whether its value
 * begins with what the key of this name writes. It asks etcd with what the API server has for it, wherever etcd is; values do not
 * leave the host. An answer without etcd's own revision is none.
 */
export function standing({ provider, resources }: Encrypted, key: string): string {
  return `flag() { sed -nE "s/^ *- [\\"']?--$1=([^\\"']*)[\\"']?\\$/\\\\1/p" ${MANIFESTS_DIRECTORY}/kube-apiserver.yaml | tail -n 1; }
in_etcd() {
  etcdctl --dial-timeout=5s --command-timeout=60s --endpoints="$(flag etcd-servers)" --cacert="$(flag etcd-cafile)" \\
    --cert="$(flag etcd-certfile)" --key="$(flag etcd-keyfile)" "$@"
}
page() (
  set -o pipefail
  in_etcd get "$1" "$2" --limit=${PAGE} -w fields | cut -b 1-600 | awk -v want='k8s:enc:${provider}:v1:${key}:' '
    /^"Revision" : / { answered = 1 }
    /^"Key" : "/ { key = substr($0, 10, length($0) - 10) }
    /^"Value" : "/ { print (index(substr($0, 12), want) == 1 ? "ok" : "left"), key }
    END { exit !answered }'
)
standing() {
  local prefix resource from lines
  prefix=$(flag etcd-prefix)
  for resource in ${resources.join(' ')}; do
    from=\${prefix:-/registry}/$resource/
    while :; do
      lines=$(page "$from" "\${prefix:-/registry}/\${resource}0") || return 1
      [ -n "$lines" ] || break
      printf '%s\\n' "$lines"
      from=\${lines##*$'\\n'}
      from=\${from#* }$'\\x01'
    done
  done
}
`;
}

/** Counts the objects in etcd that a key has not encrypted; unknown where etcd cannot be asked. */
export async function writtenWith(
  { signal }: Pick<StepContext, 'signal'>,
  { remote }: ReadyControlPlane,
  encrypted: Encrypted,
  key: string,
): Promise<Answer<Written>> {
  const script = `${standing(encrypted, key)}count() {
  local lines
  lines=$(standing) || return 1
  awk '$1 == "left" { left++; if (left <= ${NAMED}) names = names "\\n" $2 } $1 != "" { all++ } END { print all + 0, left + 0 names }' <<<"$lines"
}
ask written count`;
  const facts = await gatherFacts(remote, script, signal, { timeoutMs: COUNT_MS });
  return refine(facts.answer('written', 'etcd has no objects'), parseWritten);
}

/** A hundred thousand Secrets are some gigabytes on the way from etcd to the host. */
const COUNT_MS = 240_000;

function parseWritten(text: string): Answer<Written> {
  const [counts = '', ...named] = text.split('\n');
  const [, total, left] = /^(\d+) (\d+)$/.exec(counts) ?? [];
  if (total === undefined || left === undefined) return unknown('etcd was asked, and its answer cannot be read');
  return yes({ total: Number(total), left: Number(left), named });
}
