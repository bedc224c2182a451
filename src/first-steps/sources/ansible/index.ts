import type { Found } from '../../draft.js';
import type { LeftOut } from '../../left-out.js';
import type { Values } from '../../values.js';
import type { Inventory } from './inventory.js';
import { rolesOf } from './roles.js';
import { bastionOf, loginOf, settingsOf, tellOthers } from './variables.js';

export { looksLikeIni, readIni } from './ini.js';
export { looksLikeGroups, readGroups } from './yaml.js';

/** What an Ansible inventory says of a cluster. */
export function ofInventory(inventory: Inventory, leftOut: LeftOut): Found {
  const { hosts, bastion } = rolesOf(inventory, leftOut);
  const jump = bastion === undefined ? undefined : bastionOf(bastion, inventory.varsOf(bastion));
  if (bastion !== undefined) tellOthers(bastion, inventory.varsOf(bastion), leftOut);
  const vars = new Map([...hosts.keys()].map((name): [string, Values] => [name, inventory.varsOf(name)]));
  const found = [...hosts].map(([name, role]) => {
    const own = vars.get(name) ?? {};
    tellOthers(name, own, leftOut);
    return { name, ...role, ...loginOf(name, own, jump), labels: own.node_labels, taints: own.node_taints };
  });
  return { hosts: found, settings: settingsOf([...vars.values()][0] ?? {}) };
}
