import { ETCD_UNIT } from '../../../components/etcd/members/places.js';
import { componentsOn, etcdOf, holdsMember, runsContainers, runtimeOf } from '../../../components/registry/plan.js';
import { type Concern, couldNotLook, type Fault, type LookedAt, QUESTION_SECONDS } from './concern.js';

const FUNCTIONS = `units() {
  local kw_said
  kw_said=$(timeout ${QUESTION_SECONDS} systemctl show --property=Id,ActiveState,SubState,Result -- "$@") || {
    echo "\\\`systemctl show\\\` failed or did not end within ${QUESTION_SECONDS} s" >&2
    return 1
  }
  printf '%s\\n' "$kw_said"
}`;

/** The services that the host lives by: runtime, kubelet, load balancer, and etcd where systemd runs it. */
export const units: Concern = {
  questions(at) {
    const names = unitsOf(at);
    return names.length === 0 ? '' : `${FUNCTIONS}\nask units units ${names.join(' ')} &`;
  },

  judge(at, { facts }) {
    const names = unitsOf(at);
    if (names.length === 0) return [];
    const answer = facts.answer('units', '');
    if (answer.is !== 'yes')
      return [couldNotLook('its services', answer.is === 'unknown' ? answer.why : answer.evidence)];
    const told = answer.value.split(/\n\s*\n/).map(propertiesOf);
    return names.flatMap((name) => {
      const state = told.find((unit) => unit.get('Id') === name);
      return state === undefined ? [couldNotLook(name, '`systemctl show` does not name it')] : faultOf(name, state);
    });
  },
};

function unitsOf({ cluster, host: { role } }: LookedAt): string[] {
  const services = componentsOn(cluster, role).flatMap((component) => component.services);
  return [
    ...new Set([
      ...(runsContainers(cluster, role) ? [runtimeOf(cluster).unit, 'kubelet.service'] : []),
      ...(holdsMember(cluster, role) && !etcdOf(cluster).inPods ? [ETCD_UNIT] : []),
      ...services.filter(({ roles }) => roles.includes(role)).map(({ name }) => `${name}.service`),
    ]),
  ];
}

function propertiesOf(block: string): Map<string, string> {
  return new Map(
    block.split('\n').map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

function faultOf(name: string, state: Map<string, string>): Fault[] {
  const active = state.get('ActiveState') ?? '';
  if (active === 'active' || active === 'reloading') return [];
  const details = [state.get('SubState'), state.get('Result')].filter((word) => word && word !== 'success').join(', ');
  return [
    {
      code: 'KW650',
      evidence: `${name} is ${active || 'in no known state'}${details === '' ? '' : ` (${details})`}`,
      hint: `\`journalctl -u ${name}\` on that host says why; \`systemctl start ${name}\` starts it.`,
    },
  ];
}
