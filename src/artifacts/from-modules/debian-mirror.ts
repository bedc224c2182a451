import { readFileSync } from 'node:fs';
import { KubewrightError } from '../../errors.js';

/** A shell script; it names the mirror that Debian recommends. */
const DEBOOTSTRAP = '/usr/sbin/debootstrap';

/**
 * Where Debian's packages come from when nothing nearer is known: `$KUBEWRIGHT_DEBIAN_MIRROR`, else the default of the
 * installed debootstrap, which knows better than a line in this project what Debian recommends.
 *
 * @throws KW619 when neither is there
 */
export function debianMirror(env: NodeJS.ProcessEnv = process.env): string {
  const named = env.KUBEWRIGHT_DEBIAN_MIRROR ?? defaultOfDebootstrap();
  if (named !== undefined) return named.replace(/\/$/, '');
  throw new KubewrightError('KW619', 'No mirror of Debian is known on this machine.', {
    hint: 'Install the package debootstrap, which names one, or set KUBEWRIGHT_DEBIAN_MIRROR.',
  });
}

function defaultOfDebootstrap(): string | undefined {
  try {
    return /^DEF_MIRROR="(https?:[^"]+)"/m.exec(readFileSync(DEBOOTSTRAP, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}
