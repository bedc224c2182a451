import { KubewrightError } from '../../errors.js';

/**
 * What runs in the background is told apart by pids, process groups and `ps`: Linux and macOS have them.
 *
 * @throws KubewrightError KW519 elsewhere
 */
export function requireProcesses(platform: NodeJS.Platform = process.platform): void {
  if (platform === 'linux' || platform === 'darwin') return;
  throw new KubewrightError(
    'KW519',
    `Temporal and a worker in the background need Linux or macOS; this is ${platform}`,
    {
      hint: 'Use --address with a Temporal server that has a worker, and --no-worker; or run kubewright in WSL.',
    },
  );
}
