import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parse } from 'yaml';
import { deliverEncryptionKey } from '../../../../src/activities/encryption-at-rest/deliverEncryptionKey.js';
import { checkKeyRotation } from '../../../../src/activities/key-rotation/checkKeyRotation.js';
import {
  addEncryptionKey,
  promoteEncryptionKey,
  removeEncryptionKey,
} from '../../../../src/activities/key-rotation/keyStep.js';
import { rewriteSecrets } from '../../../../src/activities/key-rotation/rewriteSecrets.js';
import { carryOut } from '../../../../src/activities/step.js';
import type { StepImplementation } from '../../../../src/activities/types.js';
import { ENCRYPTION_PATH } from '../../../../src/cluster/security/paths.js';
import { type Cluster, hostsOf } from '../../../../src/cluster/types.js';
import { MANIFESTS_DIRECTORY } from '../../../../src/render/kubeadm-paths.js';
import { clusterOf } from '../../cluster-fixture.js';
import { BashHosts } from '../bash-hosts.js';

export const cluster: Cluster = {
  ...clusterOf({ controlPlanes: 3, workers: 1 }),
  security: { secretsEncryption: 'secretbox' },
};
export const CONTROL_PLANES = hostsOf(cluster, 'control-plane').map(({ name }) => name);

/** Every step of a rotation behind the preflight, in an order that the plan allows. */
export const STEPS: [StepImplementation, string | null][] = [
  ...CONTROL_PLANES.map((name): [StepImplementation, string] => [addEncryptionKey, name]),
  ...CONTROL_PLANES.map((name): [StepImplementation, string] => [promoteEncryptionKey, name]),
  [rewriteSecrets, null],
  ...CONTROL_PLANES.map((name): [StepImplementation, string] => [removeEncryptionKey, name]),
];

/**
 * kubectl against the host's own API server. It has read the file (`loaded-HOST`), reads it again whenever its metrics are asked, unless it is
 * `stuck-HOST`, and writes Secrets to etcd with its first key.
 */
const KUBECTL = `
file=$SHARED/$HOST${ENCRYPTION_PATH}
loaded=$SHARED/loaded-$HOST
case "$*" in
  *'get --raw /readyz') [ ! -e $SHARED/down-$HOST ] || { echo refused >&2; exit 1; }; echo -n ok ;;
  *'get --raw /metrics')
    [ -e $SHARED/stuck-$HOST ] || cp $file $loaded
    echo 'apiserver_encryption_config_controller_automatic_reloads_total{apiserver_id_hash="sha256:00",status="success"} 1'
    echo "apiserver_encryption_config_controller_last_config_info{apiserver_id_hash=\\"sha256:$(printf x | sha256sum | cut -c 1-64)\\",hash=\\"sha256:$(sha256sum <$loaded | cut -c 1-64)\\"} 1" ;;
  *'get nodes '*) cat $SHARED/nodes ;;
  *' patch secrets '*' --type=merge -p {}')
    key=$(sed -nE 's/^ *- name: //p' $loaded | head -n 1)
    [ ! -e $SHARED/away ] || { rm $SHARED/away; echo 'The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?' >&2; exit 1; }
    while [ "$1" != -n ]; do shift; done
    namespace=$2
    shift 4
    for name; do
      case $name in -*) break ;; esac
      secret=$namespace%$name
      echo "$secret" >>$SHARED/patched
      if [ -e "$SHARED/gone-$secret" ]; then
        rm -f "$SHARED/etcd/$secret"
        echo 'Error from server (NotFound): secrets "x" not found: top-secret' >&2
      elif [ -e "$SHARED/conflict-$secret" ]; then
        rm "$SHARED/conflict-$secret"
        echo 'Error from server (Conflict): changed meanwhile: top-secret' >&2
      elif [ -e "$SHARED/refused-$secret" ]; then
        echo 'Error from server (Forbidden): admission webhook "x" denied the request: top-secret' >&2
      else
        printf '%s' "k8s:enc:secretbox:v1:$key:" >"$SHARED/etcd/$secret"
      fi
    done ;;
  *) echo "kubectl $*" >>$SHARED/unexpected; exit 1 ;;
esac`;

/** etcdctl as it prints fields; it sorts, and knows ranges and limits. */
const ETCDCTL = `
[ ! -e $SHARED/etcd-blinks ] || { rm $SHARED/etcd-blinks; echo 'etcdserver: leader changed' >&2; exit 1; }
[ ! -e $SHARED/etcd-down ] || { echo 'context deadline exceeded' >&2; exit 1; }
echo "$*" >>$SHARED/asked
while [ "$1" != get ]; do shift; done
from=$2 to=$3 limit=\${4#--limit=} count=0
printf '%s\\n' '"ClusterID" : 1' '"MemberID" : 2' '"Revision" : 3' '"RaftTerm" : 4'
cd $SHARED/etcd
for secret in *; do
  [ "$secret" != '*' ] || break
  key=/registry/secrets/\${secret/\\%//}
  [[ ! $key < $from && $key < $to ]] || continue
  [ $((count += 1)) -le "$limit" ] || break
  read -r value <"$secret"
  printf '"Key" : "%s"\\n"CreateRevision" : 1\\n"Value" : "%s\\\\x00\\\\n\\\\"top-secret"\\n"Lease" : 0\\n' "$key" "$value"
done
printf '"More" : false\\n"Count" : %s\\n' "$count"`;

/** Three control planes that live, with Secrets in etcd, each encrypted with the one key that there is. */
export class LivingCluster {
  readonly hosts = new BashHosts(cluster);
  /** What the preflight has handed on. */
  target: { from: string; to: string } | undefined;

  static async start(): Promise<LivingCluster> {
    const living = new LivingCluster();
    const { hosts } = living;
    hosts.program('kubectl', KUBECTL);
    hosts.program('etcdctl', ETCDCTL);
    hosts.write('.', 'etcd/.keep');
    hosts.write('.', 'nodes', CONTROL_PLANES.join(' '));
    for (const name of CONTROL_PLANES) {
      await deliverEncryptionKey.apply(living.context(name), { done: false, found: '', changes: [] });
      chmodSync(join(hosts.root, name, ENCRYPTION_PATH), 0o600);
      hosts.write(name, '/etc/kubernetes/admin.conf', '');
      const file = join(hosts.root, name, ENCRYPTION_PATH);
      const flags = [
        `encryption-provider-config=${file}`,
        'encryption-provider-config-automatic-reload=true',
        'etcd-servers=https://127.0.0.1:2379',
        'etcd-cafile=/ca',
        'etcd-certfile=/crt',
        'etcd-keyfile=/key',
      ];
      hosts.write(
        name,
        `${MANIFESTS_DIRECTORY}/kube-apiserver.yaml`,
        flags.map((flag) => `    - --${flag}\n`).join(''),
      );
      hosts.write('.', `loaded-${name}`, hosts.read(name, ENCRYPTION_PATH));
    }
    const [key] = living.keysOn('cp-1');
    for (const secret of ['default%a', 'default%b', 'kube-system%c']) living.put(secret, key ?? '');
    return living;
  }

  /** A Secret that is in etcd, written with a key. */
  put(secret: string, key: string): void {
    this.hosts.write('.', `etcd/${secret}`, `k8s:enc:secretbox:v1:${key}:`);
  }

  /** What the fakes look for, such as that an API server does not read its file again. */
  set(flag: string): void {
    writeFileSync(join(this.hosts.root, flag), '');
  }

  text(host: string): string {
    return this.hosts.read(host, ENCRYPTION_PATH) ?? '';
  }

  keysOn(host: string): string[] {
    return keysIn(this.text(host));
  }

  /** Names of the keys with which the Secrets in etcd are encrypted, each once. */
  keysInEtcd(): string[] {
    const secrets = readdirSync(join(this.hosts.root, 'etcd')).filter((name) => name.includes('%'));
    return [...new Set(secrets.map((name) => this.hosts.shared(`etcd/${name}`).split(':')[4] ?? ''))];
  }

  /** What somebody could not read: by the keys that API servers have loaded, what they write with, and what is in etcd. */
  unreadable(): string[] {
    const loaded = CONTROL_PLANES.map((name) => keysIn(this.hosts.shared(`loaded-${name}`)));
    const written = [...this.keysInEtcd(), ...loaded.map(([first]) => first ?? '')];
    return loaded.flatMap((keys, at) =>
      written.filter((key) => !keys.includes(key)).map((key) => `${CONTROL_PLANES[at]} cannot read ${key}`),
    );
  }

  context(host: string | null, signal: AbortSignal = new AbortController().signal, onWait?: (line: string) => void) {
    const input = { inputs: { 'cluster/preflight': { ...this.target } } };
    return this.hosts.context('addEncryptionKey', host, signal, onWait, { input });
  }

  carryOut(step: StepImplementation, host: string | null) {
    return carryOut(step, this.context(host));
  }

  /** Has the preflight choose, for the steps behind it. */
  async preflight(): Promise<{ from: string; to: string }> {
    const { data } = await this.carryOut(checkKeyRotation, null);
    this.target = { from: String(data?.from), to: String(data?.to) };
    return this.target;
  }

  /** Carries steps out one behind the other; behind none of them somebody cannot read. @returns their outcomes */
  async rotate(steps = STEPS): Promise<string[]> {
    const outcomes: string[] = [];
    for (const [step, host] of steps) {
      outcomes.push((await this.carryOut(step, host)).outcome);
      expect(this.unreadable()).toEqual([]);
    }
    return outcomes;
  }
}

function keysIn(text: string): string[] {
  const { resources } = parse(text) as { resources: { providers: { secretbox: { keys: { name: string }[] } }[] }[] };
  return (resources[0]?.providers[0]?.secretbox.keys ?? []).map(({ name }) => name);
}
