import { distance } from 'fastest-levenshtein';
import type { Path } from '../path.js';
import { clusterJsonSchema, type JsonSchema } from './json-schema.js';

/** Words that users of other tools bring along, in lower case and without separators. */
const ALIASES: Record<string, string[]> = {
  ip: ['address'],
  ipaddress: ['address'],
  host: ['address', 'hosts'],
  hostname: ['name'],
  nodes: ['hosts'],
  machines: ['hosts'],
  roles: ['role'],
  virtualip: ['vip'],
  controlplaneendpoint: ['endpoint', 'vip'],
  vrid: ['virtualRouterId'],
  username: ['user'],
  sshuser: ['user'],
  sshport: ['port'],
  identityfile: ['keyFile'],
  privatekey: ['keyFile'],
  sshkey: ['keyFile'],
  sshkeypath: ['keyFile'],
  keypath: ['keyFile'],
  privatekeypath: ['keyFile'],
  privatekeyfile: ['keyFile'],
  sshprivatekeyfile: ['keyFile'],
  ansiblesshprivatekeyfile: ['keyFile'],
  pk: ['keyFile'],
  jumphost: ['bastion'],
  proxyjump: ['bastion'],
  knownhosts: ['knownHostsFile'],
  stricthostkeychecking: ['hostKeys'],
  podcidr: ['podSubnet'],
  clustercidr: ['podSubnet'],
  podnetworkcidr: ['podSubnet'],
  servicecidr: ['serviceSubnet'],
  clusterdomain: ['dnsDomain'],
  certsans: ['certificateSANs'],
  k8sversion: ['version'],
  kubernetesversion: ['version'],
  cni: ['network'],
  containerruntime: ['runtime'],
  patches: ['patchesDirectory'],
  master: ['control-plane'],
  controlplane: ['control-plane'],
  controller: ['control-plane'],
  node: ['worker'],
  agent: ['worker'],
  local: ['stacked'],
  internal: ['stacked'],
};

/** The word that was probably meant, or undefined. At most a third of the letters may differ. */
export function closest(word: string, known: readonly string[]): string | undefined {
  const plain = bare(word);
  const alias = ALIASES[plain]?.find((candidate) => known.includes(candidate));
  if (alias !== undefined) return alias;
  const ranked = known
    .map((candidate) => ({ candidate, apart: distance(plain, bare(candidate)) }))
    .sort((a, b) => a.apart - b.apart);
  const best = ranked[0];
  return best !== undefined && best.apart <= Math.max(1, Math.floor(plain.length / 3)) ? best.candidate : undefined;
}

let cached: JsonSchema | undefined;

function rootSchema(): JsonSchema {
  cached ??= clusterJsonSchema();
  return cached;
}

function bare(word: string): string {
  return word
    .slice(0, 64)
    .toLowerCase()
    .replace(/[-_\s]/g, '');
}

/** Where else a key of this name may stand, such as `spec.kubernetes.podSubnet`. */
export function placesOf(key: string): string[] {
  places ??= collectPlaces();
  return [...(places.get(bare(key)) ?? [])];
}

let places: Map<string, string[]> | undefined;

function collectPlaces(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const walk = (schema: JsonSchema, prefix: string): void => {
    for (const [name, inner] of Object.entries(schema.properties ?? {})) {
      const here = prefix === '' ? name : `${prefix}.${name}`;
      found.set(bare(name), [...(found.get(bare(name)) ?? []), here]);
      walk(inner, here);
    }
    if (schema.items !== undefined) walk(schema.items, `${prefix}[]`);
  };
  walk(rootSchema(), '');
  return found;
}

/** Keys that a map at this path may have. */
export function keysAt(path: Path): string[] {
  let schemas = [rootSchema()];
  for (const part of path) schemas = schemas.flatMap((schema) => step(schema, part));
  return [...new Set(schemas.flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

function step(schema: JsonSchema, part: string | number): JsonSchema[] {
  const forms = [schema, ...(schema.anyOf ?? [])];
  const inner = forms.map((form) => (typeof part === 'number' ? form.items : form.properties?.[part]));
  return inner.filter((form) => form !== undefined);
}
