import { hostError } from '../errors.js';
import { shown } from '../printable.js';
import { abortable } from './abort.js';
import { ASK_SUDO, PROMPT, type Privilege, SHELL } from './privilege.js';
import { diagnoseShell, diagnoseSudo } from './refusals.js';
import type { Channel, Connection, Live } from './types.js';

export interface SudoFacts {
  password: string | undefined;
  /** Name of the variable that holds, or should hold, the password. */
  variable: string | null;
}

/** sudo answers at once; a directory behind PAM may take seconds. Below the time that most commands have in all. */
export const SUDO_ANSWER_MS = 25_000;

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

/** It is asked for all who wait, so that none of them can call it off: it has a limit of its own. */
async function learnPrivilege(connection: Connection, sudo: SudoFacts): Promise<Privilege> {
  const { host } = connection;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(silent(host, 'the question whether it wants a password')), SUDO_ANSWER_MS);
  try {
    const { channel, live } = await connection.exec(ASK_SUDO, limit.signal);
    const ending = { host, user: live.user, ...(await endOf(channel, live, host, limit.signal)) };
    if (ending.code === 0) return 'sudo';
    // Without the shell's own word it was not sudo that said no.
    if (!ending.stdout.includes(SHELL)) throw diagnoseShell(ending);
    // The second is sudo-rs' way to say it.
    if (!/password|authentication is required/i.test(ending.stderr))
      throw diagnoseSudo({ ...ending, stdout: '' }, false);
    if (sudo.password !== undefined) return 'sudo-with-password';
    throw passwordMissing(host, live.user, sudo.variable);
  } finally {
    clearTimeout(timer);
  }
}

async function endOf(
  channel: Channel,
  live: Live,
  host: string,
  signal: AbortSignal,
): Promise<{ stdout: string; stderr: string; code: number | null }> {
  let [stdout, stderr] = ['', ''];
  channel.on('data', (chunk: Buffer) => {
    if (stdout.length < 8192) stdout += chunk.toString('utf8');
  });
  channel.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < 8192) stderr += chunk.toString('utf8');
  });
  channel.end();
  const closed = new Promise<number | null | undefined>((resolve) => channel.once('close', resolve));
  signal.addEventListener('abort', () => channel.close(), { once: true });
  const code = await abortable(closed, signal);
  if (code !== undefined) return { stdout, stderr, code };
  throw hostError('connectionLost', `the connection was lost: ${live.lost ?? 'a channel closed early'}`, { host });
}

function passwordMissing(host: string, user: string, variable: string | null): Error {
  return hostError(
    'sudoPasswordMissing',
    variable === null
      ? `sudo wants a password for ${user}, and none is configured`
      : `sudo wants a password for ${user}, and the variable ${variable} is not set where the worker runs`,
    {
      host,
      hint:
        variable === null
          ? 'Set `ssh.sudoPasswordEnv: NAME` in cluster.yaml and that variable where the worker runs, or allow sudo without a password.'
          : `Set ${variable} in the environment of the worker and start it again.`,
    },
  );
}

/** Waiting may heal it: a directory that PAM asks may be slow. */
function silent(host: string, what: string): Error {
  return hostError('commandTimedOut', `sudo did not answer within ${SUDO_ANSWER_MS / 1000} s to ${what}`, {
    host,
    hint: 'It is tried again. Does PAM there ask a directory (LDAP, Kerberos) that does not answer?',
  });
}

/**
 * What a prompt for a password looks like, at the end of what was printed: ours, sudo-rs' with ours inside of it, sudo's
 * own where a rule overrides `-p`, and PAM's. In sudo-rs' brackets ours comes before the prompt's end.
 */
const PROMPT_AT_END = new RegExp(
  `(?:^|\\n)(?:\\[sudo[^\\n]*\\][^\\n]*:|[^\\n[]*${PROMPT}|[^\\n[]*passw[^\\n]*:)[ \\t]*$`,
  'i',
);

/** Reads along what sudo prints until the shell runs: when to give the password, and when it was wrong. */
export class PasswordDialog {
  #text = '';
  #answeredAt: number | undefined;

  /** @returns `answer` at the first prompt, `wrong` at one more */
  feed(text: string): 'answer' | 'wrong' | undefined {
    if (this.#text.length < 8192) this.#text += text;
    if (!PROMPT_AT_END.test(this.#text.slice(this.#answeredAt ?? 0))) return undefined;
    const isFirst = this.#answeredAt === undefined;
    this.#answeredAt = this.#text.length;
    return isFirst ? 'answer' : 'wrong';
  }

  /** Why there is still no shell. */
  timedOut(host: string, user: string, stdout: string): Error {
    if (this.#answeredAt !== undefined) return silent(host, 'the password');
    return hostError('sudoSilent', `sudo did not ask ${user} for a password in words that are known`, {
      host,
      output: shown(`${stdout}\n${this.#text}`),
      hint: `What it printed stands above. A second factor cannot be given; else let it ask with "Password:", or allow \`${user} ALL=(ALL:ALL) NOPASSWD: ALL\`.`,
    });
  }
}
