import { nodeName } from '../cluster/schema/forms.js';
import type { DraftRole } from './draft.js';

/** What hosts are called that have no name which a node can have: cp-1, w-1, etcd-1. */
const PREFIXES: Record<DraftRole, string> = { 'control-plane': 'cp', worker: 'w', etcd: 'etcd' };

/** They mean something else in the ids of steps, and in every /etc/hosts. */
const RESERVED = new Set(['cluster', 'localhost']);

/** Gives out names of nodes, each once. */
export class Names {
  readonly #taken = new Set<string>();

  /** @param wanted names that are valid as they stand: nobody else gets them, in whatever order hosts come */
  constructor(private readonly wanted: ReadonlySet<string>) {}

  /** The name itself where it can be a node's, otherwise the nearest one that can; `cp-1` and the like without any. */
  give(wanted: string | undefined, role: DraftRole): string {
    const name = wanted === undefined ? undefined : validName(wanted);
    if (name === undefined) return this.#take(PREFIXES[role], 1);
    if (name === wanted && !this.#taken.has(name)) return this.#claim(name);
    return this.#isFree(name) ? this.#claim(name) : this.#take(name, 2);
  }

  #take(stem: string, from: number): string {
    for (let number = from; ; number++) {
      const ending = `-${number}`;
      const name = `${stem.slice(0, 63 - ending.length).replace(/[-.]+$/, '')}${ending}`;
      if (this.#isFree(name)) return this.#claim(name);
    }
  }

  #isFree(name: string): boolean {
    return !this.#taken.has(name) && !this.wanted.has(name);
  }

  #claim(name: string): string {
    this.#taken.add(name);
    return name;
  }
}

/** Whether a text can be a node's name as it is. */
export function isValidName(name: string): boolean {
  return nodeName().safeParse(name).success && !RESERVED.has(name) && !/^[0-9.]+$/.test(name);
}

/** The nearest valid name, or undefined where nothing of a name is left, as of an address. */
function validName(text: string): string | undefined {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .split('.')
    .map((label) => label.replace(/^-+|-+$/g, ''))
    .filter((label) => label !== '')
    .join('.')
    .slice(0, 63)
    .replace(/[-.]+$/, '');
  return isValidName(name) ? name : undefined;
}

/** The nearest valid name of a cluster, or undefined. */
export function validClusterName(text: string): string | undefined {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 50)
    .replace(/-+$/, '');
  return name === '' ? undefined : name;
}
