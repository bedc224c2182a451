import type { Values } from '../../values.js';
import { expandHosts } from './ranges.js';

interface Group {
  hosts: Set<string>;
  children: Set<string>;
  vars: Values;
}

/** An Ansible inventory, whatever it was written in: hosts, groups of them, and variables of both. */
export class Inventory {
  /** Variables of the hosts' own lines. */
  readonly #hosts = new Map<string, Values>();
  readonly #groups = new Map<string, Group>();

  group(name: string): Group {
    const group = this.#groups.get(name) ?? { hosts: new Set(), children: new Set(), vars: {} };
    this.#groups.set(name, group);
    return group;
  }

  /** @param pattern a host, `host:port`, or a range of hosts */
  addHosts(pattern: string, vars: Values, group?: string): void {
    const [, written = pattern, port] = /^((?:[^:[\]]|\[[^\]]*\])+):(\d+)$/.exec(pattern) ?? [];
    for (const host of expandHosts(written)) {
      this.#hosts.set(host, { ...this.#hosts.get(host), ...(port && { ansible_port: port }), ...vars });
      if (group !== undefined) this.group(group).hosts.add(host);
    }
  }

  get hosts(): string[] {
    return [...this.#hosts.keys()];
  }

  get groups(): string[] {
    return [...this.#groups.keys()];
  }

  /** Every host of a group, those of the groups below it included. */
  hostsOf(name: string, seen = new Set<string>()): Set<string> {
    const group = this.#groups.get(name);
    if (group === undefined || seen.has(name)) return new Set();
    seen.add(name);
    return new Set([...group.hosts, ...[...group.children].flatMap((child) => [...this.hostsOf(child, seen)])]);
  }

  /** What holds for a host: its own variables win over those of its groups, and a group's over those of the ones around it. */
  varsOf(host: string): Values {
    const groups = this.groups
      .filter((name) => name !== 'all' && this.hostsOf(name).has(host))
      .sort((a, b) => this.#depth(a) - this.#depth(b) || a.localeCompare(b));
    const layers = ['all', ...groups].map((name) => this.#groups.get(name)?.vars ?? {});
    return Object.assign({}, ...layers, this.#hosts.get(host));
  }

  /** How many groups are around a group, the longest way. */
  #depth(name: string, below: readonly string[] = []): number {
    if (below.includes(name)) return 0;
    const parents = this.groups.filter((each) => this.#groups.get(each)?.children.has(name));
    return 1 + Math.max(0, ...parents.map((parent) => this.#depth(parent, [...below, name])));
  }
}
