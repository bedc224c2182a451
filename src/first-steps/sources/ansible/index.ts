import type { Found } from '../../draft.js';
import type { LeftOut } from '../../left-out.js';
import type { Values } from '../../values.js';
import type { Inventory } from './inventory.js';
import { rolesOf } from './roles.js';
import { bastionOf, loginOf, settingsOf, tellOthers, tellSettings } from './variables.js';
import { withoutVaults } from './vaults.js';

export { looksLikeIni, readIni } from './ini.js';
export { looksLikeGroups, readGroups } from './yaml.js';

/** What an Ansible inventory says of a cluster. */
export function ofInventory(inventory: Inventory, leftOut: LeftOut): Found {
  const { hosts, bastion, problem } = rolesOf(inventory, leftOut);
  const varsOf = (name: string): Values => withoutVaults(inventory.varsOf(name), name, leftOut);
  const ofBastion = bastion === undefined ? {} : varsOf(bastion);
  const jump = bastion === undefined ? undefined : bastionOf(bastion, ofBastion);
  if (bastion !== undefined) tellOthers(bastion, ofBastion, leftOut);
  const vars = new Map([...hosts.keys()].map((name): [string, Values] => [name, varsOf(name)]));
  const found = [...hosts].map(([name, role]) => {
    const own = vars.get(name) ?? {};
    tellOthers(name, own, leftOut);
    return { name, ...role, ...loginOf(name, own, jump), labels: own.node_labels, taints: own.node_taints };
  });
  tellSettings(vars, leftOut);
  return { hosts: found, settings: settingsOf([...vars.values()][0] ?? {}), problem };
}
