import { isMap, listOf, mapOf, textOf, type Values } from '../../values.js';
import { Inventory } from './inventory.js';

/** Whether a map has a group: something with hosts, children or variables. */
export function looksLikeGroups(file: Values): boolean {
  return (
    '_meta' in file ||
    Object.values(file).some((group) => ['hosts', 'children', 'vars'].some((key) => key in mapOf(group)))
  );
}

/**
 * Reads an inventory in Ansible's form of YAML, or what `ansible-inventory --list` prints, which has lists of names in place of maps
 * and the hosts' variables under `_meta`.
 */
export function readGroups(file: Values): Inventory {
  const inventory = new Inventory();
  for (const [name, vars] of Object.entries(mapOf(mapOf(file._meta).hostvars))) inventory.addHosts(name, mapOf(vars));
  for (const [name, group] of Object.entries(file)) if (name !== '_meta') readGroup(inventory, name, group);
  return inventory;
}

function readGroup(inventory: Inventory, name: string, value: unknown): void {
  const { hosts, children, vars } = mapOf(value);
  const group = inventory.group(name);
  Object.assign(group.vars, mapOf(vars));
  for (const [host, own] of entriesOf(hosts)) inventory.addHosts(host, mapOf(own), name);
  for (const [child, own] of entriesOf(children)) {
    group.children.add(child);
    readGroup(inventory, child, own);
  }
}

/** Of a map, or of a list of names. */
function entriesOf(value: unknown): [string, unknown][] {
  if (isMap(value)) return Object.entries(value);
  return listOf(value).flatMap((name): [string, unknown][] => {
    const text = textOf(name);
    return text === undefined ? [] : [[text, null]];
  });
}
