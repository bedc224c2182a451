import { writeApartFromPatches } from '../../../../activities/kubeadm/host-files.js';
import type { StepContext } from '../../../../activities/types.js';
import type { ClusterHost } from '../../../../cluster/types.js';
import { quote } from '../../../../hosts/shell.js';
import { renderEtcdMember } from '../../external/render/member.js';
import { moveAside, noteFor } from '../../external/steps/data.js';
import type { MemberPlan } from '../../external/steps/member-plan.js';
import { ETCD_KUBEADM_CONFIG_PATH, ETCD_PEER_PORT, ETCD_UNIT, ETCD_UNIT_PATH } from '../../members/places.js';
import { ACCOUNT, DATA_DIRECTORY, ENVIRONMENT_PATH, PKI } from '../paths.js';
import { renderEnvironment, renderUnit } from '../render/unit.js';

/**
 * Bash that starts a member, or starts it anew. Data of a member that the cluster has put out is moved aside, never deleted.
 *
 * @param joins whether it has a cluster to come back to: then it is waited for until it has, so that the next one's turn
 * comes no sooner. Members that begin wait for each other, and count as started when they take peers.
 */
export function startScript(
  context: StepContext,
  host: ClusterHost,
  plan: MemberPlan,
  { joins }: { joins: boolean },
): string {
  const { cluster } = context;
  const files = [
    { path: ENVIRONMENT_PATH, content: renderEnvironment(cluster, plan) },
    // What its certificates and its flags were made from, for who compares them with the file later.
    { path: ETCD_KUBEADM_CONFIG_PATH, content: renderEtcdMember(cluster, host, plan) },
    { path: ETCD_UNIT_PATH, content: renderUnit(cluster, host) },
  ];
  const aside = plan.staleData === undefined ? '' : moveAside(context, host, plan.staleData, '');
  return `${writeApartFromPatches(files)}# Its keys are its own; what leads to them may have been made under any umask.
chmod a+rx /etc/kubewright ${PKI} ${PKI}/etcd
systemctl daemon-reload
systemctl stop ${ETCD_UNIT}
install -d -m 0700 -o ${ACCOUNT} -g ${ACCOUNT} ${DATA_DIRECTORY}
${aside}${noteFor(context, plan)}[ ! -e ${DATA_DIRECTORY}/member ] || chown -R ${ACCOUNT}:${ACCOUNT} ${DATA_DIRECTORY}/member
systemctl enable --quiet ${ETCD_UNIT}
systemctl start --no-block ${ETCD_UNIT}
echo 'waiting for etcd'
up() {
  (: <>/dev/tcp/${quote(host.address)}/${ETCD_PEER_PORT}) 2>/dev/null${joins ? ` && systemctl --quiet is-active ${ETCD_UNIT}` : ''}
}
deadline=$((SECONDS + 240))
until up; do
  if [ "$SECONDS" -ge "$deadline" ]; then
    systemctl status --no-pager --lines=0 ${ETCD_UNIT} || true
    journalctl --no-pager --quiet --output=cat --unit=${ETCD_UNIT} | tail -n 15 || true
    exit 1
  fi
  sleep 0.2
done
`;
}
