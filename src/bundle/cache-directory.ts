import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Where finished artifacts lie: `$KUBEWRIGHT_CACHE`, else `$XDG_CACHE_HOME/kubewright`, else `~/.cache/kubewright`.
 * A relative `XDG_CACHE_HOME` is ignored, as the XDG base directory specification asks.
 */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  if (env.KUBEWRIGHT_CACHE) return env.KUBEWRIGHT_CACHE;
  const xdg = env.XDG_CACHE_HOME;
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'kubewright');
}
