import { swapChanges } from '../../prepare/swap.js';
import { moduleDrift, networkManagerDrift, sysctlDrift } from '../../prepare/system-drift.js';
import { systemQuestions, wantedSystem } from '../../prepare/system-state.js';
import { type Concern, couldNotLook, type Fault, listed } from './concern.js';

/** Kernel settings, modules and swap are as `prepareSystem` has left them, now and at the next boot. */
export const drift: Concern = {
  questions: ({ cluster, host }) => systemQuestions(wantedSystem(cluster, host)).trimEnd(),

  judge({ cluster, host }, { facts }) {
    const wanted = wantedSystem(cluster, host);
    // They are asked one after the other, settings last.
    const last = [...wanted.sysctls.keys()].at(-1) ?? 'swap-units';
    if (!facts.isAsked(last))
      return [couldNotLook('kernel settings, modules and swap', 'not all questions came to an end')];
    return [
      ...faultOf('KW657', 'kernel settings', [...sysctlDrift(wanted, facts), ...networkManagerDrift(wanted, facts)]),
      ...faultOf('KW658', 'kernel modules', moduleDrift(wanted, facts)),
      ...faultOf('KW659', 'swap', wanted.swapOff ? swapChanges(facts) : []),
      ...(facts.text('boot-sysctls') === ''
        ? [couldNotLook('what the next boot makes of kernel settings', '`systemd-sysctl --cat-config` prints nothing')]
        : []),
    ];
  },
};

function faultOf(code: string, what: string, changes: string[]): Fault[] {
  if (changes.length === 0) return [];
  return [
    {
      code,
      evidence: `${what}: what install has set was changed, it would ${listed(changes, 4)}`,
      hint: "`kubewright install` with the cluster's file puts back what it has set. Find out what has changed it, or it comes again: another tool's configuration, or a file in /etc/sysctl.d or /etc/modprobe.d.",
    },
  ];
}
