import { namedFence, takeFence } from '../../../../activities/fence.js';
import { inTurn } from '../../../../activities/in-turn.js';
import { hostOf } from '../../../../activities/prepare/target.js';
import { digestOf, type Facts, gatherFacts } from '../../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import type { ClusterHost } from '../../../../cluster/types.js';
import { KubewrightError } from '../../../../errors.js';
import { loadedConfigPath } from '../../../../render/loaded-config.js';
import { BEGUN_FOR } from '../../external/steps/data.js';
import { planMember, promote } from '../../external/steps/member-plan.js';
import { memberListFunction, memberOf, membersIn } from '../../members/members.js';
import { ETCD_PEER_PORT, ETCD_UNIT, ETCD_UNIT_PATH } from '../../members/places.js';
import { DATA_DIRECTORY, SERVICE } from '../paths.js';
import { PROGRAM, renderUnit } from '../render/unit.js';
import { startScript } from './start-script.js';

const START_SECONDS = 360;

/**
 * One member of etcd, as a service. Members start side by side, so one counts as up when its process runs and takes peers;
 * that they form a cluster is seen by `verifyEtcdCluster`. One that runs already is restarted in its turn only.
 */
export const startEtcdService: StepImplementation = {
  async probe(context) {
    const faults = memberFaults(context, await lookAtMember(context));
    return faults.length === 0
      ? { done: true, found: `its etcd member runs as ${ETCD_UNIT}`, changes: [] }
      : { done: false, found: faults.join('; '), changes: [`write ${ETCD_UNIT_PATH} and start ${ETCD_UNIT}`] };
  },

  async apply(context) {
    const host = hostOf(context);
    // Before the host is looked at: what follows from the look is this attempt's to do, and no earlier one's.
    await takeFence(context);
    const facts = await lookAtMember(context);
    refuseForeignData(host, facts);
    const plan = await planMember(context, host, {
      data: facts.answer('data', `no data of etcd is on ${host.name}`),
      begunFor: facts.answer('begun-for', 'this step has begun no data here'),
    });
    const runs = facts.text('active') === 'active';
    const start = () =>
      context.durable('start', startScript(context, host, plan, { joins: runs }), {
        guard: namedFence(context),
        timeoutSeconds: START_SECONDS,
        hint: `On ${host.name}, \`systemctl status ${SERVICE}\` and \`journalctl -u ${SERVICE}\` tell more.`,
      });
    await (runs ? inTurn(context, 'etcd is restarted', start) : start());
    if (plan.via !== undefined) await promote(context, plan.via, host);
  },
};

function lookAtMember(context: StepContext): Promise<Facts> {
  const { address } = hostOf(context);
  const script = `peers() { : <>/dev/tcp/${address}/${ETCD_PEER_PORT}; }
current() {
  pid=$(systemctl show -p MainPID --value ${ETCD_UNIT}) && [ "$pid" -gt 0 ] && [ "/proc/$pid/exe" -ef ${PROGRAM} ]
}
strangers() {
  exists ${DATA_DIRECTORY} || return
  find ${DATA_DIRECTORY}/ -mindepth 1 -maxdepth 1 ! -name member ! -name 'member.removed-*' ! -name lost+found -printf '%f\\n'
}
fact unit digest ${ETCD_UNIT_PATH}
fact loaded cut -c 1-64 ${loadedConfigPath(SERVICE)}
fact active systemctl is-active ${ETCD_UNIT}
fact enabled systemctl is-enabled ${ETCD_UNIT}
fact current current
ask strangers strangers
ask data exists ${DATA_DIRECTORY}/member
ask begun-for content ${BEGUN_FOR}
fact peers peers
${memberListFunction(context.cluster)}ask members member_list`;
  return gatherFacts(context.host, script, context.signal);
}

function memberFaults(context: StepContext, facts: Facts): string[] {
  const host = hostOf(context);
  const wanted = digestOf(renderUnit(context.cluster, host));
  if (facts.text('unit') !== wanted) return [`${ETCD_UNIT_PATH} is not as it should be`];
  const faults: string[] = [];
  if (!facts.holds('enabled')) faults.push(`${ETCD_UNIT} does not start at boot`);
  // Without a quorum it is `activating`, for as long as that takes: that is for the cluster's own check to say.
  if (!['active', 'activating'].includes(facts.text('active'))) faults.push(`${ETCD_UNIT} does not run`);
  else if (!facts.holds('current')) faults.push(`${ETCD_UNIT} runs another etcd than ${PROGRAM}`);
  else if (facts.text('loaded') !== wanted) faults.push(`${ETCD_UNIT} runs as an older unit said`);
  else if (!facts.holds('peers')) faults.push(`its etcd member takes no peers at ${host.address}:${ETCD_PEER_PORT}`);
  const members = membersIn(facts, 'members');
  if (members.is === 'yes' && memberOf(members.value, host)?.learner) faults.push('its etcd member is a learner still');
  return faults;
}

/** Its directory is given to etcd with all that is in it, so nothing of others may be there. */
function refuseForeignData(host: ClusterHost, facts: Facts): void {
  const strangers = facts.answer('strangers', '');
  const names = strangers.is === 'yes' ? strangers.value.split('\n').filter(Boolean) : [];
  if (names.length === 0) return;
  const shown = names.slice(0, 4).join(', ');
  throw new KubewrightError('KW478', `${DATA_DIRECTORY} holds what is not of etcd: ${shown}`, {
    host: host.name,
    hint: `Nothing was changed. Move it elsewhere, then retry the step: ${DATA_DIRECTORY} is for this cluster's etcd alone.`,
  });
}
