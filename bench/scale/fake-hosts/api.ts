import { fill } from './jsonpath.js';

/** An object of the API, as JSON has it. */
export interface ApiObject {
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

/** What a command came to. */
export interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

export const said = (stdout: string): Said => ({ code: 0, stdout, stderr: '' });
export const failed = (stderr: string, code = 1): Said => ({ code, stdout: '', stderr });

/** Objects that are computed when they are asked for, because time changes them. */
export type Computed = () => ApiObject[];

const PLURALS = ['node', 'secret', 'pod', 'configmap', 'deployment', 'service', 'daemonset'];
const CLUSTER_WIDE = new Set(['node', 'namespace', 'clusterrole', 'clusterrolebinding']);

/** Kind of a resource as kubectl is asked for it: `nodes` and `node` are one. */
function kindOf(resource: string): string {
  const lower = resource.toLowerCase();
  return PLURALS.find((kind) => lower === `${kind}s`) ?? lower;
}

/** The objects of the fake cluster, and kubectl's verbs on them, as far as the steps use these. */
export class FakeApi {
  readonly #objects = new Map<string, ApiObject>();
  readonly #computed = new Map<string, Computed>();
  #count = 0;

  /** Lets a kind be told by a function: nodes become Ready in time. */
  compute(kind: string, objects: Computed): void {
    this.#computed.set(kind, objects);
  }

  put(object: ApiObject): void {
    const kind = object.kind.toLowerCase();
    const namespace = CLUSTER_WIDE.has(kind) ? undefined : (object.metadata.namespace ?? 'default');
    const uid = object.metadata.uid ?? `uid-${++this.#count}`;
    const whole = { ...object, metadata: { ...object.metadata, uid, namespace } };
    this.#objects.set(`${namespace ?? ''}/${kind}/${object.metadata.name}`, whole);
  }

  list(kind: string, namespace: string): ApiObject[] {
    const computed = this.#computed.get(kind);
    if (computed !== undefined) return computed();
    const prefix = `${CLUSTER_WIDE.has(kind) ? '' : namespace}/${kind}/`;
    return [...this.#objects].filter(([key]) => key.startsWith(prefix)).map(([, object]) => object);
  }

  find(kind: string, namespace: string, name: string): ApiObject | undefined {
    return this.list(kind, namespace).find(({ metadata }) => metadata.name === name);
  }

  /** Takes away what has all these labels; returns how many. */
  deleteBy(kind: string, namespace: string, selector: string): number {
    const gone = this.list(kind, namespace).filter((object) => hasLabels(object, selector));
    for (const { metadata } of gone) this.#objects.delete(`${namespace}/${kind}/${metadata.name}`);
    return gone.length;
  }

  /** `kubectl get`, without its global flags. @throws Error for what kubectl could do and this cannot */
  get(words: string[], namespace: string): Said {
    const { flags, rest } = sorted(words);
    const selector = flags.get('-l') ?? flags.get('--selector');
    const output = flags.get('-o') ?? '';
    if (rest[0]?.includes('/')) return this.#getMany(rest, namespace);
    const [resource = '', ...names] = rest;
    const kind = kindOf(resource);
    if (names.length === 0) {
      const items = this.list(kind, namespace).filter((object) => hasLabels(object, selector ?? ''));
      return said(shown(output, { kind: 'List', items }, items));
    }
    const found = names.map((name) => this.find(kind, namespace, name));
    const missing = names.filter((_, index) => found[index] === undefined);
    if (missing.length > 0 && !flags.has('--ignore-not-found')) {
      return failed(`Error from server (NotFound): ${kind}s "${missing[0]}" not found\n`);
    }
    const there = found.filter((object) => object !== undefined);
    if (there.length === 0) return said('');
    return said(shown(output, names.length === 1 ? there[0] : { kind: 'List', items: there }, there));
  }

  #getMany(names: string[], namespace: string): Said {
    const there = names.flatMap((each) => {
      const [resource = '', name = ''] = each.split('/');
      return this.find(kindOf(resource), namespace, name) ?? [];
    });
    return said(shown('name', undefined, there));
  }
}

function hasLabels({ metadata }: ApiObject, selector: string): boolean {
  return selector
    .split(',')
    .filter(Boolean)
    .every((each) => {
      const [key = '', value] = each.split('=');
      const label = metadata.labels?.[key];
      return value === undefined ? label !== undefined : label === value;
    });
}

function shown(output: string, whole: unknown, objects: ApiObject[]): string {
  if (output === 'json') return JSON.stringify(whole);
  if (output.startsWith('jsonpath=')) return fill(output.slice('jsonpath='.length), whole);
  if (output === 'name')
    return objects.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}\n`).join('');
  throw new Error(`no answer is known in the form "${output}"`);
}

/** Flags by name, and what is none. `-o`, `-l` and `-f` have their value behind them. */
export function sorted(words: string[]): { flags: Map<string, string>; rest: string[] } {
  const flags = new Map<string, string>();
  const rest: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (/^-[a-z]$/.test(word)) flags.set(word, words[++at] ?? '');
    else if (word.startsWith('--')) {
      const [name = '', ...value] = word.split('=');
      flags.set(name, value.join('='));
    } else rest.push(word);
  }
  return { flags, rest };
}
