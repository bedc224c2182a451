import { valueAt } from '../../path.js';
import type { Check } from '../index.js';
import { checkNumberAsWritten } from './flags.js';

const SYSCTLS = ['spec', 'sysctls'];

/** Without these no pod reaches another, or no backup can hold the VIP's port. */
const NEEDED: Record<string, string> = {
  'net.ipv4.ip_forward': 'pods on different hosts could not reach each other',
  'net.bridge.bridge-nf-call-iptables': 'services could not be reached from pods on the same host',
  'net.ipv4.ip_nonlocal_bind': 'HAProxy could not listen at the VIP before it holds it',
};

/** Overriding is allowed, but not of what the cluster cannot do without. */
export const checkSysctls: Check = ({ sysctls }, report) => {
  for (const [name, value] of Object.entries(sysctls)) {
    const path = [...SYSCTLS, name];
    // `net/ipv4/ip_forward` is the same sysctl.
    const reason = NEEDED[name.replaceAll('/', '.')];
    if (reason !== undefined && value !== '1') {
      report.error(path, 'needed-sysctl', { message: `with this value ${reason}`, expected: '1' });
    }
  }
  const written = valueAt(report.document.value, SYSCTLS);
  if (typeof written !== 'object' || written === null || Array.isArray(written)) return;
  for (const name of Object.keys(written)) checkNumberAsWritten([...SYSCTLS, name], report);
};
