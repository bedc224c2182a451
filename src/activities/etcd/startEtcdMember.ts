import type { ClusterHost } from '../../cluster/types.js';
import { quote } from '../../hosts/shell.js';
import { ETCD_KUBEADM_CONFIG_PATH, renderEtcdMember } from '../../render/etcd.js';
import { ETCD_DATA_DIRECTORY, ETCD_PEER_PORT } from '../../render/kubeadm.js';
import {
  ETCD_KUBELET_CONFIG_PATH,
  ETCD_KUBELET_DROP_IN_PATH,
  type KubeletFacts,
  renderEtcdKubeletConfig,
  renderEtcdKubeletDropIn,
} from '../../render/kubelet-config.js';
import { type HostFile, kubeletFacts, patchFiles, writeFiles } from '../kubeadm/host-files.js';
import { staticPodFacts, staticPodFault } from '../kubeadm/node/static-pods.js';
import { hostOf } from '../prepare/target.js';
import { type Facts, gatherFacts } from '../remote-facts.js';
import type { StepContext, StepImplementation } from '../types.js';
import { type MemberPlan, planMember, promote } from './member-plan.js';
import { MEMBER_LIST, memberOf, parseMembers } from './members.js';

const START_SECONDS = 300;

/**
 * One member of external etcd, as a static pod of a kubelet that does nothing else. Members start side by side, so one
 * counts as up when its process runs and takes peers; that they form a cluster is seen by `verifyEtcdCluster`.
 */
export const startEtcdMember: StepImplementation = {
  async probe(context) {
    const faults = memberFaults(hostOf(context), await lookAtMember(context));
    return faults.length === 0
      ? { done: true, found: 'its etcd member runs with its manifest', changes: [] }
      : { done: false, found: faults.join('; '), changes: ['start etcd as a static pod'] };
  },

  async apply(context) {
    const host = hostOf(context);
    const hasData = (await lookAtMember(context)).holds('data');
    const plan = await planMember(context, host, hasData);
    const files = memberFiles(context, host, plan, await kubeletFacts(context));
    await context.durable('start', startScript(host, files, plan.dataIsStale), {
      timeoutSeconds: START_SECONDS,
      hint: `On ${host.name}, \`journalctl -u kubelet\` and \`crictl ps -a\` tell more.`,
    });
    if (plan.via !== undefined) await promote(context, plan.via, host);
  },
};

function lookAtMember(context: StepContext): Promise<Facts> {
  const { address } = hostOf(context);
  const script = `${staticPodFacts(['etcd'])}
peers() { : <>/dev/tcp/${address}/${ETCD_PEER_PORT}; }
fact kubelet systemctl is-active kubelet
fact config test -e ${ETCD_KUBELET_DROP_IN_PATH}
fact data test -e ${ETCD_DATA_DIRECTORY}/member
fact peers peers
${MEMBER_LIST}fact members member_list`;
  return gatherFacts(context.host, script, context.signal);
}

function memberFaults(host: ClusterHost, facts: Facts): string[] {
  const faults: string[] = [];
  if (facts.text('kubelet') !== 'active' || !facts.holds('config')) faults.push('no kubelet for etcd runs');
  const pod = staticPodFault(facts, 'etcd');
  if (pod !== undefined) faults.push(pod);
  else if (!facts.holds('peers')) faults.push(`its etcd member takes no peers at ${host.address}:${ETCD_PEER_PORT}`);
  // Without a quorum there is no list; that is for the cluster's own check to say.
  const mine = memberOf(parseMembers(facts.text('members')), host);
  if (mine?.learner) faults.push('its etcd member is a learner still');
  return faults;
}

function memberFiles(context: StepContext, host: ClusterHost, plan: MemberPlan, facts: KubeletFacts): HostFile[] {
  const { cluster } = context;
  return [
    ...patchFiles(cluster, facts),
    { path: ETCD_KUBELET_CONFIG_PATH, content: renderEtcdKubeletConfig(cluster, facts) },
    { path: ETCD_KUBELET_DROP_IN_PATH, content: renderEtcdKubeletDropIn() },
    { path: ETCD_KUBEADM_CONFIG_PATH, content: renderEtcdMember(cluster, host, plan) },
  ];
}

/** @param stale whether the data there is of a member that the cluster has put out: it is moved aside, never deleted */
function startScript(host: ClusterHost, files: HostFile[], stale: boolean): string {
  const aside = `${ETCD_DATA_DIRECTORY}.removed-$(date -u +%Y%m%dT%H%M%SZ)`;
  return `${writeFiles(files)}
systemctl daemon-reload
systemctl enable --quiet kubelet
${stale ? `rm -f /etc/kubernetes/manifests/etcd.yaml\nsystemctl stop kubelet\nmv ${ETCD_DATA_DIRECTORY} "${aside}"\n` : ''}systemctl restart kubelet
kubeadm init phase etcd local --config=${ETCD_KUBEADM_CONFIG_PATH}
echo 'waiting for etcd'
deadline=$((SECONDS + 240))
until (: <>/dev/tcp/${quote(host.address)}/${ETCD_PEER_PORT}) 2>/dev/null; do
  if [ "$SECONDS" -ge "$deadline" ]; then
    crictl ps -a || true
    journalctl --no-pager --quiet --output=cat --unit=kubelet | grep '^[EF][0-9]' | tail -n 10 || true
    exit 1
  fi
  sleep 0.2
done
`;
}
