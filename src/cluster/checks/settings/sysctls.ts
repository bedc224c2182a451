import { loadBalancerOf } from '../../../components/registry/plan.js';
import { valueAt } from '../../path.js';
import type { Cluster } from '../../types.js';
import type { Check } from '../index.js';
import { checkNumberAsWritten } from './flags.js';

const SYSCTLS = ['spec', 'sysctls'];

/** Without these no pod reaches another. */
const NEEDED: Record<string, string> = {
  'net.ipv4.ip_forward': 'pods on different hosts could not reach each other',
  'net.bridge.bridge-nf-call-iptables': 'services could not be reached from pods on the same host',
};

/** On control planes, by the load balancer that the file chooses. */
function neededByBalancer(type: Cluster['loadBalancer']['type']): Record<string, string> {
  const names = Object.keys(loadBalancerOf({ loadBalancer: { type } }).sysctls('control-plane'));
  return Object.fromEntries(names.map((name) => [name, `the load balancer (${type}) could not do its work`]));
}

/** Overriding is allowed, but not of what the cluster cannot do without. */
export const checkSysctls: Check = ({ sysctls, loadBalancer: { type } }, report) => {
  const needed = { ...NEEDED, ...(type === undefined ? {} : neededByBalancer(type)) };
  for (const [name, value] of Object.entries(sysctls)) {
    const path = [...SYSCTLS, name];
    // `net/ipv4/ip_forward` is the same sysctl.
    const reason = needed[name.replaceAll('/', '.')];
    if (reason !== undefined && value !== '1') {
      report.error(path, 'needed-sysctl', { message: `with this value ${reason}`, expected: '1' });
    }
  }
  const written = valueAt(report.document.value, SYSCTLS);
  if (typeof written !== 'object' || written === null || Array.isArray(written)) return;
  for (const name of Object.keys(written)) checkNumberAsWritten([...SYSCTLS, name], report);
};
