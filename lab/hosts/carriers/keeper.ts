import { spawn } from 'node:child_process';
import { open, writeFile } from 'node:fs/promises';
import { hostFiles } from '../paths.js';
import { HOST_ENVIRONMENT, type Launched, type Place } from './carrier.js';

/**
 * Starts the script that keeps a host running, in a session of its own: whatever ends this one (Ctrl-C, a closed terminal)
 * does not end the host. What it prints goes to the host's console.
 *
 * @param script its path; its only argument is the file of settings
 */
export async function startKeeper({ labDirectory, host }: Place, script: string, settings: string): Promise<Launched> {
  const files = hostFiles(labDirectory, host.name);
  // A settings file names no secret, only where one lies.
  await writeFile(files.settings, settings);
  const console = await open(files.console, 'a');
  const launched = { ended: false };
  try {
    const stdio: ['ignore', number, number] = ['ignore', console.fd, console.fd];
    const child = spawn('bash', [script, files.settings], { detached: true, stdio, env: HOST_ENVIRONMENT });
    child.once('exit', () => {
      launched.ended = true;
    });
    child.unref();
  } finally {
    await console.close();
  }
  return launched;
}
