import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { carryOut, type StageContext } from '../../../../src/activities/step.js';
import type { StepImplementation } from '../../../../src/activities/types.js';
import type { Cluster } from '../../../../src/cluster/types.js';
import type { StepOutput } from '../../../../src/plan/run.js';
import type { Action } from '../../../../src/plan/types.js';
import { renderOwner } from '../../../../src/render/owner.js';
import { clusterOf } from '../../cluster-fixture.js';
import { BashHosts } from '../bash-hosts.js';

export const CA = 'sha256:aa';

/** The list of members as etcd has it; a member in `ill` answers nobody. */
const ETCDCTL = `
echo "etcdctl $*" >>$SHARED/journal
all=$*
case "$*" in
  *'member list') [ ! -e $SHARED/silent-$HOST ] || { echo 'context deadline exceeded' >&2; exit 1; }; cat $SHARED/members ;;
  *'member remove '*) id=\${all##* }; grep -v "^$id," $SHARED/members >$SHARED/members.new; mv $SHARED/members.new $SHARED/members ;;
  *'endpoint health') for word; do case $word in --endpoints=*) ! grep -qxF "\${word#*=}" $SHARED/ill ;; esac || exit 1; done ;;
esac`;

const KUBECTL = `
echo "kubectl $*" >>$SHARED/journal
all=$*
case "$*" in
  *'get --raw /readyz') [ ! -e $SHARED/down-$HOST ] || { echo refused >&2; exit 1; }; echo -n ok ;;
  *'get node '*'.spec.unschedulable'*) [ ! -e $SHARED/cordoned ] || echo -n true ;;
  *'get node '*'cordoned-by}'*) [ ! -e $SHARED/marked ] || echo -n reset ;;
  *' annotate '*'cordoned-by=reset') : >$SHARED/marked ;;
  *' annotate '*'cordoned-by-') rm $SHARED/marked ;;
  *' uncordon '*) rm -f $SHARED/cordoned ;;
  *'get pods '*) cat $SHARED/pods ;;
  *' drain '*) : >$SHARED/cordoned; [ ! -e $SHARED/budget ] || { echo 'Cannot evict pod as it would violate the pod disruption budget.'; exit 1; }; sed -i /^ReplicaSet/d $SHARED/pods ;;
  *'get node '*) name=\${all#*get node }; name=\${name%% *}
    [ -e $SHARED/node-$name ] || { echo "Error from server (NotFound): nodes \\"$name\\" not found" >&2; exit 1; }
    printf 'node\\nuid-1\\n{}\\n\\n10.0.0.1\\n%s\\nv1.34.3\\n\\nend of node\\n' "$(cat $SHARED/node-$name)" ;;
  *'delete --raw '*) name=\${all#*/nodes/}; name=\${name%% *}; rm $SHARED/node-$name ;;
esac`;

/** A cluster that lives, three control planes with etcd and one worker unless given, on hosts whose scripts run in a real bash. */
export class Leaving {
  readonly hosts: BashHosts;
  readonly #abort = new AbortController();

  constructor(readonly cluster: Cluster = clusterOf({ controlPlanes: 3, workers: 1 })) {
    this.hosts = new BashHosts(cluster);
    this.hosts.program('etcdctl', ETCDCTL);
    this.hosts.program('kubectl', KUBECTL);
    this.hosts.program('systemctl', 'echo inactive; exit 3');
    this.shared('ill', '');
    this.shared('pods', '');
    const members = this.cluster.hosts.flatMap(({ name, role, address }, index) =>
      role === 'control-plane'
        ? [`${index + 1}a, started, ${name}, https://${address}:2380, https://${address}:2379, false`]
        : [],
    );
    this.shared('members', `${members.join('\n')}\n`);
    for (const { name, address, role } of this.cluster.hosts) {
      this.hosts.write(
        name,
        '/etc/kubewright/owner.json',
        renderOwner({ cluster: 'demo', host: name, address, endpoint: 'e', caFingerprint: CA }),
      );
      this.hosts.write(name, '/etc/kubernetes/kubelet.conf', '');
      this.hosts.write(name, '/var/lib/kubewright/before/state', 'user\troot\t\n');
      if (role === 'control-plane') this.hosts.write(name, '/etc/kubernetes/admin.conf', '');
      this.shared(`node-${name}`, 'True');
    }
  }

  shared(name: string, content = ''): void {
    this.hosts.write('.', name, content);
  }

  has(name: string): boolean {
    return existsSync(join(this.hosts.root, name));
  }

  /** Removes a file of a host. */
  take(host: string, path: string): void {
    rmSync(join(this.hosts.root, host, path));
  }

  blank(host: string): void {
    for (const folder of ['etc', 'var/lib']) rmSync(join(this.hosts.root, host, folder), { recursive: true });
    this.hosts.write(host, '/etc/.keep');
    this.hosts.write(host, '/var/lib/.keep');
  }

  /** Ids of the members that etcd has. */
  get members(): string[] {
    return this.hosts
      .shared('members')
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(',')[0] ?? '');
  }

  /**
   * A wait is left at once, as if patience were used up.
   *
   * @param instead parts of the step's context that the test brings itself
   */
  async carry(
    implementation: StepImplementation,
    action: Action,
    host: string,
    { away = [] as string[], ofCluster = false, instead = {} as Partial<StageContext> } = {},
  ): Promise<StepOutput> {
    const { hosts, cluster } = this;
    const step = {
      id: `${ofCluster ? 'cluster' : host}/x`,
      phase: 'leave' as const,
      action,
      host: ofCluster ? null : host,
      title: '',
      needs: [],
      timeoutMinutes: 1,
      skippable: false,
      ...(ofCluster ? { with: { host } } : {}),
    };
    const input = {
      step,
      inputs: { 'cluster/preflight': { away, ca: CA, caOf: 'cp-1' } },
      operation: 'reset' as const,
      cluster,
      build: '0',
    };
    const context = hosts.context(action, ofCluster ? null : host, this.#abort.signal, () => this.#abort.abort(), {
      input,
    });
    return carryOut(implementation, Object.assign(context, instead));
  }
}
