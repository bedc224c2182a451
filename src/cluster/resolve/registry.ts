import type { Surroundings } from '../../components/schema-types.js';
import { REGISTRY_DEFAULTS, type RegistrySettings } from '../private-registry.js';
import { type Draft, INVALID, pick, recordOf, type Sketch } from './draft.js';

export type RegistryDraft =
  | Draft<{
      address: string;
      paths?: Record<string, string> | null;
      caFile?: string | null;
      loginEnv?: string | null;
      images?: RegistrySettings['images'];
    }>
  | typeof INVALID
  | null;

/** `spec.packages.registry` with its defaults, and the certificates read; left out where the file has none. */
export function resolveRegistry(
  registry: RegistryDraft,
  { read }: Pick<Surroundings, 'read'>,
): { registry?: Sketch<RegistrySettings> } {
  if (registry === null || registry === INVALID) return {};
  const usual = Object.fromEntries(REGISTRY_DEFAULTS.upstreams.map((upstream) => [upstream, upstream]));
  const caFile = pick(registry, 'caFile', REGISTRY_DEFAULTS.ca);
  const place = ['spec', 'packages', 'registry', 'caFile'];
  return {
    registry: {
      address: pick(registry, 'address', undefined),
      paths: { ...usual, ...(recordOf(pick(registry, 'paths', {})) as Record<string, string>) },
      ca: typeof caFile === 'string' ? read(caFile, place, undefined)?.content : caFile,
      loginEnv: pick(registry, 'loginEnv', REGISTRY_DEFAULTS.loginEnv),
      images: pick(registry, 'images', REGISTRY_DEFAULTS.images),
    },
  };
}
