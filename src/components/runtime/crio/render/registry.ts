import { stringify } from 'smol-toml';
import { placeOf, type RegistrySettings, repositoryPath } from '../../../../cluster/private-registry.js';
import { REGISTRY_MARK, type RegistryFiles } from '../../registry-files.js';

/** The last of its folder: of two files that speak of one thing the later one wins. */
export const REGISTRIES_PATH = '/etc/containers/registries.conf.d/99-kubewright.conf';
export const AUTH_PATH = '/etc/crio/registry-auth.json';
const CA_NAME = 'kubewright-registry.crt';

/**
 * CRI-O's files for a registry of the user's that it reads at each pull: certificates (containers-certs.d(5)), and the login as
 * docker's config.json has it. What CRI-O reads when it starts is in `renderRegistries`.
 *
 * @param authorization header with the login; undefined: none
 */
export function registryFiles(
  registry: RegistrySettings | undefined,
  authorization: string | undefined,
): RegistryFiles {
  const ours = [`/etc/containers/certs.d/*/${CA_NAME}`, AUTH_PATH];
  if (registry === undefined) return { wanted: new Map(), ours: [...ours, REGISTRIES_PATH] };
  const { host } = placeOf(registry.address);
  const wanted = new Map<string, string>();
  if (registry.ca !== null) wanted.set(`/etc/containers/certs.d/${host}/${CA_NAME}`, registry.ca);
  if (authorization !== undefined) wanted.set(AUTH_PATH, renderAuth(host, authorization));
  return { wanted, ours };
}

/** containers-registries.conf(5): each upstream lies at the registry and nowhere else, and no name goes without its host. */
export function renderRegistries(registry: RegistrySettings): string {
  const { scheme, host } = placeOf(registry.address);
  const entries = Object.keys(registry.paths).map((upstream) => {
    const path = repositoryPath(registry, upstream);
    return { prefix: upstream, location: path === '' ? host : `${host}/${path}`, insecure: scheme === 'http' };
  });
  return `# ${REGISTRY_MARK}.\n${stringify({ 'unqualified-search-registries': [], registry: entries })}\n`;
}

function renderAuth(host: string, authorization: string): string {
  return `${JSON.stringify({ auths: { [host]: { auth: authorization.replace(/^Basic /, '') } } }, null, 2)}\n`;
}
