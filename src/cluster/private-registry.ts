/** `spec.packages.registry`, resolved: a registry of the user's, from which hosts pull images instead of where they are published. */
export interface RegistrySettings {
  /** `HOST[:PORT][/PATH]`, with `http://` in front where it has no TLS. */
  address: string;
  /** What lies where below the address, by the host that images are published on; empty: at the address itself. */
  paths: Record<string, string>;
  /** Certificate authorities to trust for it besides the hosts' own, PEM; null: none. */
  ca: string | null;
  /** Name of the variable in the worker's environment that holds NAME:PASSWORD; null: it wants none. */
  loginEnv: string | null;
  /** `missing`: hosts pull what the bundle lacks. `all`: also what it has, but for images that nobody publishes. */
  images: 'missing' | 'all';
}

export const REGISTRY_DEFAULTS = {
  /** Where images of Kubernetes, flannel, Calico and most others are published. */
  upstreams: ['registry.k8s.io', 'ghcr.io', 'quay.io', 'docker.io'],
  ca: null,
  loginEnv: null,
  images: 'missing',
} as const;

/** An address in its parts. */
export interface RegistryPlace {
  scheme: 'http' | 'https';
  /** With its port, where that is written. */
  host: string;
  /** Without slashes around it; may be empty. */
  path: string;
}

/** @param address as `RegistrySettings` has it */
export function placeOf(address: string): RegistryPlace {
  const [, scheme, host = '', path = ''] = /^(?:(https?):\/\/)?([^/]+)\/?(.*?)\/?$/.exec(address) ?? [];
  return { scheme: scheme === 'http' ? 'http' : 'https', host, path };
}

/** Where images of one upstream lie: the path of their repositories on the registry's host, without slashes around it. */
export function repositoryPath({ address, paths }: RegistrySettings, upstream: string): string {
  return [placeOf(address).path, paths[upstream] ?? ''].filter((part) => part !== '').join('/');
}

/** An image where the registry has it. */
export interface Mirrored {
  repository: string;
  /** Tag or digest. */
  reference: string;
}

/**
 * Where the registry has an image; undefined for one of an upstream that it does not stand for.
 *
 * @param name full, such as `registry.k8s.io/coredns/coredns:v1.14.2`
 */
export function mirrored(registry: RegistrySettings, name: string): Mirrored | undefined {
  const [, upstream = '', repository = '', tag, digest] = /^([^/]+)\/([^:@]+)(?::([^@]+))?(?:@(.+))?$/.exec(name) ?? [];
  if (!(upstream in registry.paths)) return undefined;
  const path = repositoryPath(registry, upstream);
  return { repository: path === '' ? repository : `${path}/${repository}`, reference: digest ?? tag ?? 'latest' };
}
