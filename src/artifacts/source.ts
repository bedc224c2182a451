import { isKubewrightError, KubewrightError } from '../errors.js';
import type { Log } from './cache/cache.js';
import { requireGo } from './go/tools.js';
import { Client, discard, isPage } from './official/client.js';
import type { Origins } from './official/origins.js';
import { type Architecture, BUILDABLE_KUBERNETES } from './recipes.js';

/** Where a bundle's contents come from: published releases, or builds of Go modules on this machine. */
export type BundleSource = 'official' | 'modules';

/** How long (milliseconds) dl.k8s.io has to answer before it counts as out of reach. */
const PATIENCE = 4_000;

/** What the choice depends on. */
export interface SourceQuestion {
  version: string;
  arch: Architecture;
  origins: Origins;
  client?: Client;
  log: Log;
}

/**
 * Chooses where a bundle shall come from, and says so: published releases where they can be had, else modules.
 *
 * @throws KW727 when neither is possible, with both reasons
 */
export async function chooseSource({ version, arch, origins, client, log }: SourceQuestion): Promise<BundleSource> {
  const url = `${origins['dl.k8s.io']}/release/v${version}/bin/linux/${arch}/kubeadm.sha256`;
  const unavailable = await whyUnavailable(url, client ?? new Client());
  if (unavailable === undefined) {
    log(`${new URL(url).host} answers: downloading the official releases (--from modules builds them here instead)`);
    return 'official';
  }
  const unbuildable = await whyUnbuildable(version);
  if (unbuildable === undefined) {
    log(`${new URL(url).host} ${unavailable}: building Kubernetes ${version} from Go modules`);
    return 'modules';
  }
  throw new KubewrightError(
    'KW727',
    `There is no way to a bundle of Kubernetes ${version}: ${new URL(url).host} ${unavailable}, and ${unbuildable}.`,
    {
      hint: 'Connect this machine to one of them, name a mirror with --mirror, or copy a bundle from another machine.',
    },
  );
}

async function whyUnavailable(url: string, client: Client): Promise<string | undefined> {
  try {
    const answer = await client.ask(url, { method: 'HEAD', signal: AbortSignal.timeout(PATIENCE) });
    discard(answer);
    if (answer.ok) return isPage(answer) ? 'answers with a web page' : undefined;
    return [401, 403].includes(answer.status) ? 'wants credentials' : `says ${answer.status} for this version`;
  } catch (error) {
    // A certificate that is not trusted, say, is no reason to build for a quarter of an hour without a word.
    return isKubewrightError(error) ? `cannot be used (${error.code}: ${error.message})` : 'does not answer';
  }
}

async function whyUnbuildable(version: string): Promise<string | undefined> {
  if (!BUILDABLE_KUBERNETES.includes(version))
    return `only ${BUILDABLE_KUBERNETES.join(', ')} can be built from Go modules`;
  try {
    await requireGo();
    return undefined;
  } catch {
    return 'Go (1.26 or newer) is not installed to build it from modules';
  }
}
