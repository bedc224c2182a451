import { KubewrightError } from '../../errors.js';
import type { ServiceSystem } from './system.js';

/** An account of this machine. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

/**
 * The account of a name, wherever it comes from (files, LDAP).
 *
 * @throws KubewrightError KW586 when there is none
 */
export async function accountOf(system: ServiceSystem, name: string): Promise<Account> {
  // A name that begins with a dash would be an option, and a number would find an account of another name.
  const isName = /^[A-Za-z_][\w.@-]*\$?$/.test(name);
  const { stdout } = isName ? await system.run('getent', ['passwd', name]) : { stdout: '' };
  const [found, , uid = '', gid = '', , home = ''] = stdout.trim().split(':');
  if (found !== name || uid === '' || home === '') {
    throw new KubewrightError('KW586', `This machine has no user ${JSON.stringify(name)}`, {
      hint: 'Give --user the name of an account that may read your SSH keys; `getent passwd` lists those there are.',
    });
  }
  return { name, uid: Number(uid), gid: Number(gid), home };
}
