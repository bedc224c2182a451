import { MODULES_PATH } from '../../render/modules.js';
import { NETWORK_MANAGER_PATH } from '../../render/network-manager.js';
import { lastAtBoot, OLD_SYSCTL_PATH, SYSCTL_PATH, sameSysctl, sysctlFile } from '../../render/sysctl.js';
import type { Facts } from '../remote-facts.js';
import type { WantedSystem } from './system-state.js';

/*
 * What of a host's system is no longer as it has to be, by the facts of `systemQuestions`. Unlike what an install would do, files
 * count by what they bring about: those of an earlier version have another text or another name, and nobody has changed anything.
 */

/** Modules that the kernel lacks, now or at the next boot. Pure. */
export function moduleDrift({ features }: WantedSystem, facts: Facts): string[] {
  const missing = features.filter(({ module }) => !facts.holds(`feature-${module}`));
  return [
    ...missing.map(({ module }) => `load the kernel module ${module}`),
    ...(facts.text('modules') === '' ? [`write ${MODULES_PATH}`] : []),
  ];
}

/** Settings that the kernel does not have, now or at the next boot. Pure. */
export function sysctlDrift({ sysctls }: WantedSystem, facts: Facts): string[] {
  const wrong = [...sysctls].filter(([name, value]) => !sameSysctl(facts.text(name), value));
  return [
    ...wrong.map(([name, value]) => `set ${name} from ${facts.text(name) || 'nothing'} to ${value}`),
    ...bootDrift(sysctls, facts.text('boot-sysctls')),
  ];
}

/** Nothing can be said of the next boot where systemd does not tell what it reads. */
function bootDrift(sysctls: Map<string, string>, catConfig: string): string[] {
  if (catConfig === '') return [];
  const last = lastAtBoot(catConfig);
  // An earlier version's file may lack a setting that is new; where there is no such file, nothing sees to any.
  const hasOurs = [SYSCTL_PATH, OLD_SYSCTL_PATH].some((path) => catConfig.split('\n').includes(`# ${path}`));
  const unset = hasOurs ? [] : [...sysctls.keys()].filter((name) => !last.has(sysctlFile(name)));
  const other = [...sysctls].flatMap(([name, value]) => {
    const setting = last.get(sysctlFile(name));
    if (setting === undefined || sameSysctl(setting.value, value)) return [];
    return [`take ${name} = ${setting.value} out of ${setting.file}, which has the last word at boot`];
  });
  return [...(unset.length === 0 ? [] : [`write ${SYSCTL_PATH}, for no file sets ${unset.join(', ')}`]), ...other];
}

/** Whether NetworkManager, where it runs, is told to leave the pods' interfaces alone. Pure. */
export function networkManagerDrift({ hasPods }: WantedSystem, facts: Facts): string[] {
  if (!hasPods || !facts.holds('network-manager')) return [];
  if (facts.text('network-manager-file') === '') {
    return [`write ${NETWORK_MANAGER_PATH}, so that NetworkManager leaves the pods' interfaces alone`];
  }
  return facts.holds('network-manager-read') ? [] : [`have NetworkManager read ${NETWORK_MANAGER_PATH}`];
}
