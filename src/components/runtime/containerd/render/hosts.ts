import { stringify } from 'smol-toml';
import { placeOf, type RegistrySettings, repositoryPath } from '../../../../cluster/private-registry.js';
import { REGISTRY_MARK, type RegistryFiles } from '../../registry-files.js';

/** Where containerd looks for hosts.toml files (`registry.config_path`). */
export const HOSTS_DIRECTORY = '/etc/containerd/certs.d';
const CA_PATH = '/etc/containerd/kubewright-registry-ca.crt';

/**
 * containerd's files for a registry of the user's: a hosts.toml for each upstream that it stands for (docs/hosts.md there). No other
 * host is asked, the one that the image is published on neither: `server` is what comes last.
 *
 * @param authorization header with the login; undefined: none
 */
export function registryFiles(
  registry: RegistrySettings | undefined,
  authorization: string | undefined,
): RegistryFiles {
  const ours = [`${HOSTS_DIRECTORY}/*/hosts.toml`, CA_PATH];
  if (registry === undefined) return { wanted: new Map(), ours };
  const hosts = Object.keys(registry.paths).map(
    (upstream) =>
      [`${HOSTS_DIRECTORY}/${upstream}/hosts.toml`, renderHosts(registry, upstream, authorization)] as const,
  );
  return { wanted: new Map([...(registry.ca === null ? [] : [[CA_PATH, registry.ca] as const]), ...hosts]), ours };
}

function renderHosts(registry: RegistrySettings, upstream: string, authorization: string | undefined): string {
  const { scheme, host } = placeOf(registry.address);
  const path = repositoryPath(registry, upstream);
  const server = `${scheme}://${host}/v2${path === '' ? '' : `/${path}`}`;
  const how = {
    capabilities: ['pull', 'resolve'],
    override_path: true,
    ...(registry.ca === null ? {} : { ca: CA_PATH }),
    ...(authorization === undefined ? {} : { header: { Authorization: authorization } }),
  };
  return `# ${REGISTRY_MARK}.\n${stringify({ server, ...how, host: { [server]: how } })}\n`;
}
