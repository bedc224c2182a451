import { loadBalancerOf } from '../../../components/registry/plan.js';
import { valueAt } from '../../path.js';
import type { Cluster } from '../../types.js';
import type { Check } from '../index.js';
import { checkNumberAsWritten } from './flags.js';

const SYSCTLS = ['spec', 'sysctls'];

interface Need {
  /** The smallest value that will do. */
  least: string;
  /** What happens below it, as the rest of "with this value …". */
  else: string;
}

/** Without these no pod reaches another. */
const NEEDED: Record<string, Need> = {
  'net.ipv4.ip_forward': { least: '1', else: 'pods on different hosts could not reach each other' },
  'net.bridge.bridge-nf-call-iptables': {
    least: '1',
    else: 'services could not be reached from pods on the same host',
  },
};

/** On control planes, by the load balancer that the file chooses. */
function neededByBalancer(type: Cluster['loadBalancer']['type']): Record<string, Need> {
  const settings = Object.entries(loadBalancerOf({ loadBalancer: { type } }).sysctls('control-plane'));
  const why = `the load balancer (${type}) could not do its work`;
  return Object.fromEntries(settings.map(([name, least]) => [name, { least, else: why }]));
}

/** Overriding is allowed, but not of what the cluster cannot do without. */
export const checkSysctls: Check = ({ sysctls, loadBalancer: { type } }, report) => {
  const needed = { ...NEEDED, ...(type === undefined ? {} : neededByBalancer(type)) };
  for (const [name, value] of Object.entries(sysctls)) {
    const path = [...SYSCTLS, name];
    // `net/ipv4/ip_forward` is the same sysctl.
    const need = needed[name.replaceAll('/', '.')];
    if (need !== undefined && !(Number(value) >= Number(need.least))) {
      report.error(path, 'needed-sysctl', { message: `with this value ${need.else}`, expected: need.least });
    }
  }
  const written = valueAt(report.document.value, SYSCTLS);
  if (typeof written !== 'object' || written === null || Array.isArray(written)) return;
  for (const name of Object.keys(written)) checkNumberAsWritten([...SYSCTLS, name], report);
};
