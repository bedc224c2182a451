import { type Stats, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { KubewrightError } from '../../errors.js';
import type { Account } from './account.js';
import type { ServiceSystem } from './system.js';

/** What lies here is gone after a restart, or not the same for a service (`PrivateTmp=`). */
const FLEETING = ['/tmp', '/var/tmp', '/dev/shm', '/run'];
/** npm's cache of programs that were run once. */
const NPX = '/_npx/';

/**
 * Makes sure that a service may be started from this path, today and after the next boot.
 *
 * @param what for people: "Node", "Kubewright"
 * @throws KubewrightError KW587 for one in a temporary place, of another user, or that the service's user cannot reach
 */
export function requireProgram(system: ServiceSystem, what: string, path: string, account: Account): void {
  requireLasting(what, path);
  if (path.includes(NPX)) throw misplaced(`${what} is in npm's cache (${path}), which is cleared without asking`);
  for (const each of [path, ...parentsOf(path)]) {
    const found = statSync(join(system.root, each), { throwIfNoEntry: false });
    if (found === undefined) throw misplaced(`${what} is not at ${path}`);
    // Who owns it decides what the service runs: a version manager in somebody else's home is not to.
    if (found.uid !== 0 && found.uid !== account.uid) {
      throw misplaced(
        `${what} (${path}) belongs to another user than ${account.name}: ${each} has the owner ${found.uid}`,
      );
    }
    if (!mayPass(found, account))
      throw misplaced(`${account.name} may not reach ${what}: ${each} is closed to that user`);
  }
}

/**
 * Makes sure that data lasts.
 *
 * @throws KubewrightError KW587 for a relative path, one in a temporary place or with characters that end a line
 */
export function requireLasting(what: string, path: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (!isAbsolute(path) || /[\u0000-\u001f\u007f]/.test(path)) {
    throw misplaced(`${what} has no path that a unit can name: ${JSON.stringify(path)}`);
  }
  const place = FLEETING.find((each) => path === each || path.startsWith(`${each}/`));
  if (place !== undefined) throw misplaced(`${what} is at ${path}, and what lies in ${place} does not last`);
}

function parentsOf(path: string): string[] {
  const parents: string[] = [];
  for (let at = dirname(path); !parents.includes(at); at = dirname(at)) parents.push(at);
  return parents;
}

/** Whether an account may go through a directory, or read a file. Further groups of it do not count. */
function mayPass(found: Stats, account: Account): boolean {
  if (account.uid === 0) return true;
  const shift = found.uid === account.uid ? 6 : found.gid === account.gid ? 3 : 0;
  const needed = found.isDirectory() ? 0o1 : 0o4;
  return ((found.mode >> shift) & needed) !== 0;
}

function misplaced(message: string): KubewrightError {
  return new KubewrightError('KW587', message, {
    hint:
      'Install Node and Kubewright for the whole machine, owned by root (such as /usr/local), or for the user that the service runs ' +
      'as, and run this again with that Node. --state-dir says where the data lies.',
  });
}
