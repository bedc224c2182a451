import { namedFence, takeFence } from '../../../../activities/fence.js';
import { type HostFile, kubeletFacts, patchFiles, writeFiles } from '../../../../activities/kubeadm/host-files.js';
import { staticPodFacts, staticPodFault } from '../../../../activities/kubeadm/node/static-pods.js';
import { hostOf } from '../../../../activities/prepare/target.js';
import { type Facts, gatherFacts } from '../../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import type { ClusterHost } from '../../../../cluster/types.js';
import { quote } from '../../../../hosts/shell.js';
import type { KubeletFacts } from '../../../../render/kubelet-config.js';
import { artifactSourceOf } from '../../../registry/plan.js';
import { renderEtcdMember } from '../../external/render/member.js';
import { BEGUN_FOR, moveAside, noteFor } from '../../external/steps/data.js';
import { type MemberPlan, planMember, promote } from '../../external/steps/member-plan.js';
import { memberListFunction, memberOf, membersIn } from '../../members/members.js';
import {
  ETCD_DATA_DIRECTORY,
  ETCD_KUBEADM_CONFIG_PATH,
  ETCD_KUBELET_CONFIG_PATH,
  ETCD_KUBELET_DROP_IN_PATH,
  ETCD_PEER_PORT,
} from '../../members/places.js';
import { renderEtcdKubeletConfig, renderEtcdKubeletDropIn } from '../render/kubelet.js';

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
    // Before the host is looked at: what follows from the look is this attempt's to do, and no earlier one's.
    await takeFence(context);
    const facts = await lookAtMember(context);
    const plan = await planMember(context, host, {
      data: facts.answer('data', `no data of etcd is on ${host.name}`),
      begunFor: facts.answer('begun-for', 'this step has begun no data here'),
    });
    const files = memberFiles(context, host, plan, await kubeletFacts(context));
    await context.durable('start', startScript(context, host, files, plan), {
      guard: namedFence(context),
      timeoutSeconds: START_SECONDS,
      hint: `On ${host.name}, \`journalctl -u kubelet\` and \`crictl ps -a\` tell more.`,
    });
    if (plan.via !== undefined) await promote(context, plan.via, host);
  },
};

function lookAtMember(context: StepContext): Promise<Facts> {
  const { cluster } = context;
  const { address } = hostOf(context);
  const script = `${staticPodFacts(['etcd'])}
peers() { : <>/dev/tcp/${address}/${ETCD_PEER_PORT}; }
fact kubelet systemctl is-active kubelet
fact config test -e ${ETCD_KUBELET_DROP_IN_PATH}
ask data exists ${ETCD_DATA_DIRECTORY}/member
ask begun-for content ${BEGUN_FOR}
fact peers peers
${memberListFunction(cluster)}ask members member_list`;
  return gatherFacts(context.host, script, context.signal);
}

function memberFaults(host: ClusterHost, facts: Facts): string[] {
  const faults: string[] = [];
  if (facts.text('kubelet') !== 'active' || !facts.holds('config')) faults.push('no kubelet for etcd runs');
  const pod = staticPodFault(facts, 'etcd');
  if (pod !== undefined) faults.push(pod);
  else if (!facts.holds('peers')) faults.push(`its etcd member takes no peers at ${host.address}:${ETCD_PEER_PORT}`);
  // Without a quorum there is no list; that is for the cluster's own check to say.
  const members = membersIn(facts, 'members');
  if (members.is === 'yes' && memberOf(members.value, host)?.learner) faults.push('its etcd member is a learner still');
  return faults;
}

function memberFiles(context: StepContext, host: ClusterHost, plan: MemberPlan, facts: KubeletFacts): HostFile[] {
  const { cluster } = context;
  const { programDirectory } = artifactSourceOf(cluster);
  return [
    ...patchFiles(cluster, facts),
    { path: ETCD_KUBELET_CONFIG_PATH, content: renderEtcdKubeletConfig(cluster, facts) },
    { path: ETCD_KUBELET_DROP_IN_PATH, content: renderEtcdKubeletDropIn(programDirectory) },
    { path: ETCD_KUBEADM_CONFIG_PATH, content: renderEtcdMember(cluster, host, plan) },
  ];
}

/** Bash. Data of a member that the cluster has put out is moved aside, never deleted. */
function startScript(context: StepContext, host: ClusterHost, files: HostFile[], plan: MemberPlan): string {
  return `${writeFiles(files)}
systemctl daemon-reload
systemctl enable --quiet kubelet
${plan.staleData === undefined ? '' : moveAside(context, host, plan.staleData, STOP)}${noteFor(context, plan)}systemctl restart kubelet
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

/** Bash: ends the member that may still run with its data. */
const STOP = `rm -f /etc/kubernetes/manifests/etcd.yaml
systemctl stop kubelet
running=$(crictl ps -q --name '^etcd$')
[ -z "$running" ] || crictl stop --timeout=30 $running
`;
