import { hostError } from '../errors.js';
import { shown } from '../printable.js';

/** How a login or a sudo ended that did not give a shell. */
export interface Ending {
  host: string;
  user: string;
  stdout: string;
  stderr: string;
  /** Null when a signal ended it, undefined when it has not ended. */
  code: number | null | undefined;
}

/**
 * The login gave no shell that runs commands: a forced command, nologin, a shell that is not there. What it printed, on
 * either stream, is what a person needs; cloud images say there who to log in as.
 */
export function diagnoseShell({ host, user, stdout, stderr, code }: Ending): Error {
  const output = shown(`${stdout}\n${stderr}`);
  const facts = { host, output };
  const ended =
    code === undefined ? 'went on without a shell' : `ended with ${code === null ? 'a signal' : `exit code ${code}`}`;
  if (/log ?in as|use the login|rather than the user/i.test(output)) {
    const name = /(?:log ?in as(?: the)? user|log ?in as|use the login(?: user)?)\s+["'“]?([a-z_][\w.-]*)/i.exec(
      output,
    )?.[1];
    return hostError('wrongLoginUser', `${user} may log in there only to be told: ${quoted(output)}`, {
      ...facts,
      hint: `Set \`ssh.user: ${name ?? 'NAME'}\` in cluster.yaml, ${name ? '' : 'with the name that it gives, '}and \`ssh.sudoPasswordEnv\` where sudo wants a password.`,
    });
  }
  if (output === '' || code === 126 || code === 127) {
    return hostError('shellUnusable', `${user} got no working bash there (it ${ended})`, {
      ...facts,
      hint: 'bash and coreutils must be installed, and the login shell must run commands given to it.',
    });
  }
  return hostError('shellUnusable', `${user} got no shell there: the login said ${quoted(output)} and ${ended}`, {
    ...facts,
    hint: 'Something keeps commands from running: a nologin shell (`getent passwd`), `command=` in authorized_keys or ForceCommand in sshd_config. Log in as another user with `ssh.user`, or lift it.',
  });
}

/** The last line that says something. */
function quoted(output: string): string {
  const line =
    output
      .split('\n')
      .filter((each) => each.trim() !== '')
      .at(-1) ?? '';
  return `“${line.trim().slice(0, 200)}”`;
}

/** sudo did not serve. @param hadPassword whether one was given */
export function diagnoseSudo({ host, user, stdout, stderr, code }: Ending, hadPassword: boolean): Error {
  const output = shown(`${stdout}\n${stderr}`);
  const facts = { host, output };
  if (/must have a tty|no tty present|terminal is required/i.test(stderr)) {
    return hostError('sudoNeedsTerminal', `sudo wants a terminal before it serves ${user}`, {
      ...facts,
      hint: `Add \`Defaults:${user} !requiretty\` to the sudoers there.`,
    });
  }
  if (/sudo: (command )?not found|sudo[^\n]*No such file/i.test(stderr)) {
    return hostError('sudoMissing', `there is no sudo for ${user}`, {
      ...facts,
      hint: 'Install sudo, or log in as root.',
    });
  }
  // The last one is sudo-rs' own: https://github.com/trifectatechfoundation/sudo-rs
  if (/not in the sudoers|may not run sudo|not allowed to (execute|run)|afraid I can't do that/i.test(stderr)) {
    return hostError('sudoRefused', `${user} may not use sudo`, {
      ...facts,
      hint: `Give it the right to run everything as root: \`${user} ALL=(ALL:ALL) ALL\` in the sudoers there.`,
    });
  }
  if (hadPassword) {
    return hostError('sudoPasswordRejected', `sudo rejected the password of ${user}`, {
      ...facts,
      hint: 'Correct the password in the environment of the worker and start it again.',
    });
  }
  return hostError('sudoRefused', `sudo did not serve ${user} (exit code ${code})`, {
    ...facts,
    hint: `What it said stands above. \`sudo -n bash -c true\` as ${user} there must work, or ask for a password.`,
  });
}
