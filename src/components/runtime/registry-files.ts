import { digestOf, type Facts } from '../../activities/remote-facts.js';
import type { StepContext } from '../../activities/types.js';
import { quote } from '../../hosts/shell.js';

/** Files with which a runtime finds the user's registry. It reads them at each pull. */
export interface RegistryFiles {
  /** Path → content; of mode 0600, for a login may be in them. */
  wanted: ReadonlyMap<string, string>;
  /** Bash patterns of files of ours that an earlier `packages.registry` may have left. */
  ours: readonly string[];
}

/** Says whose they are; JSON and certificates are told by their paths. */
export const REGISTRY_MARK = 'Written by Kubewright for packages.registry';

/** Facts for `registryChanges`. */
export function registryFacts({ wanted, ours }: RegistryFiles): string {
  const digests = [...wanted.keys()].map((path) => `fact registry:${path} digest ${quote(path)} &\n`);
  return `${digests.join('')}registry_files() {
  local path
  for path in ${ours.join(' ')}; do
    case $path in *.toml | *.conf) grep -qs '${REGISTRY_MARK}' "$path" || continue ;; esac
    [ ! -e "$path" ] || echo "$path"
  done
}
fact registry-files registry_files &
`;
}

/** What differs on the host, one line each. */
export function registryChanges(files: RegistryFiles, facts: Facts): string[] {
  const stale = staleFiles(files, facts).map((path) => `write ${path}`);
  return [...stale, ...straysOf(files, facts).map((path) => `remove ${path}`)];
}

function staleFiles({ wanted }: RegistryFiles, facts: Facts): string[] {
  return [...wanted]
    .filter(([path, content]) => facts.text(`registry:${path}`) !== digestOf(content))
    .map(([path]) => path);
}

function straysOf({ wanted }: RegistryFiles, facts: Facts): string[] {
  return facts
    .text('registry-files')
    .split('\n')
    .filter((path) => path !== '' && !wanted.has(path));
}

/** Brings a host's files to what is wanted: what was there of others is kept beside them. */
export async function writeRegistryFiles(
  { host, signal }: StepContext,
  files: RegistryFiles,
  facts: Facts,
): Promise<void> {
  for (const path of staleFiles(files, facts)) {
    await host.writeFile(path, files.wanted.get(path) ?? '', { mode: 0o600 });
  }
  const strays = straysOf(files, facts);
  if (strays.length > 0) await host.run(`rm -f ${strays.map(quote).join(' ')}\n`, { signal });
}
