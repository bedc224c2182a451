import { changeOf, KEY_CHANGES, upwards } from './changes.js';
import { type Path, valueAt } from './path.js';
import type { Cluster } from './types.js';
import type { YamlDocument } from './yaml/document.js';

/**
 * Lines of `cluster.yaml`, from 1, by key: `spec.kubernetes.version`, `spec.hosts[w-1].labels`. Only keys that are written,
 * and only those that a living cluster is compared with: the places travel with the plan.
 */
export type Places = Record<string, number>;

/** A file of flags and settings without end must not make the plan grow with it. */
const MOST_PLACES = 2_000;

/** Where the keys of a file stand that a living cluster is compared with. */
export function placesOf(document: YamlDocument, cluster: Cluster): Places {
  const places: Places = {};
  const note = (key: string, path: Path): void => {
    if (Object.keys(places).length < MOST_PLACES) places[key] = document.position(path, 'key').line;
  };
  const walk = (value: unknown, path: string[]): void => {
    for (const [name, inner] of entriesOf(value)) {
      const below = [...path, name];
      const key = below.join('.');
      if (key === 'spec.hosts') continue;
      if (isCompared(key)) note(key, below);
      if (isCompared(key) || KEY_CHANGES[key]?.change === 'section') walk(inner, below);
    }
  };
  walk(document.value, []);
  for (const [index, host] of cluster.hosts.entries()) {
    const path: Path = ['spec', 'hosts', index];
    note(`spec.hosts[${host.name}]`, path);
    for (const key of ['address', 'role', 'labels', 'taints']) {
      const own = [...path, key];
      if (valueAt(document.value, own) !== undefined) note(`spec.hosts[${host.name}].${key}`, own);
    }
  }
  return places;
}

/** Line of a key, or of the nearest written key that it belongs to; undefined when the file has neither. */
export function lineOf(places: Places | undefined, key: string): number | undefined {
  return upwards(key)
    .map((one) => places?.[one])
    .find((line) => line !== undefined);
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

function isCompared(key: string): boolean {
  const known = changeOf(key);
  return known !== undefined && known.step === undefined && ['applied', 'refused', 'never'].includes(known.change);
}
