import { distributionOf, familyOf } from '../../../components/distribution/index.js';
import { architectureOf } from '../target.js';
import type { Checked } from './index.js';
import { isOurs } from './ownership.js';
import { listed, type Problem } from './problem.js';

/** `systemd-run` with output files and ExecStopPost, and unit file features that the steps use. */
const OLDEST_SYSTEMD = 245;

/** The operating system itself. */
export function checkSystem(checked: Checked): Problem[] {
  const { facts } = checked;
  const problems: Problem[] = [];
  if (facts.kernel.name !== 'Linux') {
    const what = `it runs ${facts.kernel.name || 'an unknown kernel'}, not Linux`;
    return [{ code: 'KW301', what, hint: 'Use a Linux host.' }];
  }
  const verdict = distributionOf(facts.os);
  if (!verdict.supported) problems.push({ code: 'KW302', what: verdict.reason, hint: verdict.hint });
  else if (!verdict.proven) {
    const hint = `${verdict.family.proven} is what the tests install on. Try one host of this release before the others.`;
    problems.push({
      code: 'KW328',
      what: `it runs ${facts.os.prettyName}, which is not proven`,
      hint,
      severity: 'warning',
    });
  }
  if (facts.init !== 'systemd') {
    const what = `its process 1 is ${facts.init || 'unknown'}, not systemd`;
    problems.push({
      code: 'KW301',
      what,
      hint: 'Boot the host with systemd: every service of a node is a unit of it.',
    });
  } else if (facts.systemd < OLDEST_SYSTEMD) {
    const what = `its systemd is ${facts.systemd}, and ${OLDEST_SYSTEMD} is the oldest that is supported`;
    problems.push({ code: 'KW301', what, hint: 'Upgrade the distribution.' });
  }
  if (architectureOf(facts.kernel.machine) === undefined) {
    const what = `its architecture is ${facts.kernel.machine}, and bundles exist for x86_64 and aarch64`;
    problems.push({ code: 'KW303', what, hint: 'Use a host with one of these.' });
  }
  if (facts.missingTools.length > 0) {
    const hint = `Install them: \`${familyOf(facts.os).toolsCommand}\`.`;
    problems.push({ code: 'KW304', what: `it lacks the tools ${listed(facts.missingTools)}`, hint });
  }
  return [...problems, ...checkSelinux(checked)];
}

/**
 * What the bundle brings lies in folders of its own, which no policy knows: systemd may not be allowed to run it. A host that is a
 * cluster's already has shown what it allows.
 */
function checkSelinux(checked: Checked): Problem[] {
  if (!checked.facts.selinuxEnforcing) return [];
  return [
    {
      code: 'KW348',
      what: 'its SELinux is enforcing, and Kubewright labels none of the programs and files that it puts there',
      hint: 'Let SELinux only note what it would refuse: `setenforce 0`, and SELINUX=permissive in /etc/selinux/config for the next boot. Where your own policy allows the programs below /opt/kubewright, /usr/local/bin and /opt/cni/bin to run, overrule the code in preflight.ignore, on one host before the others.',
      ...(isOurs(checked) ? { severity: 'warning' as const } : {}),
    },
  ];
}

/** Names by which the host is told from others. */
export function checkIdentity({ facts, host }: Checked): Problem[] {
  const problems: Problem[] = [];
  if (facts.hostname === '' || facts.hostname.split('.')[0] === 'localhost') {
    const what = `its hostname is "${facts.hostname}", like that of every host without a name`;
    problems.push({ code: 'KW305', what, hint: `Name it: \`hostnamectl set-hostname ${host.name}\`.` });
  }
  if (facts.machineId === '' || facts.machineId === 'uninitialized') {
    const what = 'it has no machine id';
    problems.push({ code: 'KW305', what, hint: 'Make one: `systemd-machine-id-setup`, then reboot.' });
  }
  const own = facts.addresses.find(({ address }) => address === host.address);
  if (own === undefined) {
    const seen = listed(facts.addresses.filter(({ card }) => card !== 'lo').map(({ address }) => address));
    const what = `none of its cards has the address ${host.address} (it has ${seen || 'none'})`;
    const hint =
      'Put the address that the other hosts see into cluster.yaml; a different address for SSH goes into the host\'s "ssh".';
    problems.push({ code: 'KW306', what, hint });
  }
  return problems;
}
