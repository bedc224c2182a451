import type { LeftOut } from '../../left-out.js';
import { isMap, says, type Values } from '../../values.js';

/** A value that Ansible has encrypted; `ansible-inventory --list` prints a map. */
function isVault(value: unknown): boolean {
  if (isMap(value)) return '__ansible_vault' in value;
  return typeof value === 'string' && value.trimStart().startsWith('$ANSIBLE_VAULT;');
}

/** A host's variables without those that are encrypted, whatever they are called; each is told. */
export function withoutVaults(vars: Values, host: string, leftOut: LeftOut): Values {
  const clean = (value: unknown, name: string): unknown => {
    if (isVault(value)) {
      leftOut.add(name, 'it is encrypted, and only Ansible has the key', host);
      return undefined;
    }
    if (Array.isArray(value)) return value.map((each) => clean(each, name)).filter(says);
    if (!isMap(value)) return value;
    if ('__ansible_unsafe' in value) return value.__ansible_unsafe;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, clean(each, `${name}.${key}`)]));
  };
  return Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, clean(value, name)]));
}
