import { hostError } from '../errors.js';
import { redact } from '../redact.js';
import { abortable } from './abort.js';
import { ASK_SUDO, type Privilege } from './privilege.js';
import type { Connection } from './types.js';

export interface SudoFacts {
  password: string | undefined;
  /** Name of the variable that holds, or should hold, the password. */
  variable: string | null;
}

/** How root is reached over this connection; asked once a connection and remembered with it. */
export async function askPrivilege(connection: Connection, sudo: SudoFacts, signal?: AbortSignal): Promise<Privilege> {
  const live = await connection.ready(signal);
  if (live.user === 'root') return 'none';
  let known = live.learned.get('privilege') as Promise<Privilege> | undefined;
  if (known === undefined) {
    known = learnPrivilege(connection, sudo);
    live.learned.set('privilege', known);
    known.catch(() => live.learned.delete('privilege'));
  }
  return abortable(known, signal);
}

async function learnPrivilege(connection: Connection, sudo: SudoFacts): Promise<Privilege> {
  const { channel, live } = await connection.exec(ASK_SUDO);
  let complaint = '';
  channel.resume();
  channel.stderr.on('data', (chunk: Buffer) => {
    if (complaint.length < 8192) complaint += chunk.toString('utf8');
  });
  channel.end();
  const code = await new Promise<number | null | undefined>((resolve) => channel.once('close', resolve));
  if (code === 0) return 'sudo';
  if (code === undefined || code === null) {
    throw hostError('connectionLost', `the connection was lost: ${live.lost ?? 'a channel closed early'}`, {
      host: connection.host,
    });
  }
  if (!/password is required|password/i.test(complaint))
    throw diagnoseRefusal(connection.host, live.user, 'sudo', complaint, code);
  if (sudo.password !== undefined) return 'sudo-with-password';
  const { user } = live;
  const { variable } = sudo;
  throw hostError(
    'sudoPasswordMissing',
    variable === null
      ? `sudo wants a password for ${user}, and none is configured`
      : `sudo wants a password for ${user}, and the variable ${variable} is not set where the worker runs`,
    {
      host: connection.host,
      hint:
        variable === null
          ? 'Set `ssh.sudoPasswordEnv: NAME` in cluster.yaml and that variable where the worker runs, or allow sudo without a password.'
          : `Set ${variable} in the environment of the worker and start it again.`,
    },
  );
}

/** Why the inner shell never said that it is ready. */
export function diagnoseRefusal(
  host: string,
  user: string,
  privilege: Privilege,
  complaint: string,
  code: number | null,
): Error {
  const output = redact(complaint.trim()).slice(-2000);
  const facts = { host, output };
  if (/must have a tty|no tty present|terminal is required/i.test(complaint)) {
    return hostError('sudoNeedsTerminal', `sudo wants a terminal before it serves ${user}`, {
      ...facts,
      hint: `Add \`Defaults:${user} !requiretty\` to the sudoers there.`,
    });
  }
  if (/sudo: (command )?not found|sudo[^\n]*No such file/i.test(complaint)) {
    return hostError('sudoMissing', `there is no sudo for ${user}`, {
      ...facts,
      hint: 'Install sudo, or log in as root.',
    });
  }
  if (/not in the sudoers|may not run sudo|not allowed to (execute|run)/i.test(complaint)) {
    return hostError('sudoRefused', `${user} may not use sudo`, {
      ...facts,
      hint: `Give it the right to run everything as root: \`${user} ALL=(ALL:ALL) ALL\` in the sudoers there.`,
    });
  }
  if (privilege === 'sudo-with-password') {
    return hostError('sudoPasswordRejected', `sudo rejected the password of ${user}`, {
      ...facts,
      hint: 'Correct the password in the environment of the worker and start it again.',
    });
  }
  if (privilege === 'sudo') return hostError('sudoRefused', `sudo did not serve ${user} (exit code ${code})`, facts);
  return hostError('shellUnusable', `${user} got no working bash there (exit code ${code})`, {
    ...facts,
    hint: 'bash and coreutils must be installed, and the login shell must run commands given to it.',
  });
}
