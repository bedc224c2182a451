import { registerSecret } from '../redact.js';
import { TOOL_PATH } from '../shell.js';

/** How root is reached on a host. */
export type Privilege = 'none' | 'sudo' | 'sudo-with-password';

/** Printed by the inner shell before it reads anything: what came before is noise of logins and sudo. */
export const READY = 'kubewright-ready\n';

/** sudo asks with this, unless a rule there overrides it. */
export const PROMPT = 'kubewright-password:';

/**
 * The login brings these along from /etc/environment. What the scripts talk to are the cluster's own addresses, and kubectl
 * would ask the proxy for them.
 */
const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'ftp_proxy', 'all_proxy', 'no_proxy']
  .flatMap((name) => [name, name.toUpperCase()])
  .join(' ');

/** What a login's environment may do to every bash that a script starts: run a file first, or have `cd` print where it went. */
const MEDDLING_VARIABLES = 'BASH_ENV ENV CDPATH';

/** Printed by the login shell itself: whoever does not print it runs no commands. */
export const SHELL = 'kubewright-shell';

/** Asks sudo whether it wants a password, ignoring a cached one, without giving any. */
export const ASK_SUDO = `printf "${SHELL}\\n"; env LC_ALL=C sudo -k -n -- bash --norc -c :`;

/**
 * The command line of an exec request. It is constant but for lengths, so nothing of a script or its input shows up in
 * `ps`; single quotes and no `!`, so that any login shell passes it on. Script and input are taken by length: a
 * connection that breaks in the middle must not run the first half of a script, nor feed it half of its input.
 *
 * @param scriptBytes length of the script, which comes first on standard input
 * @param inputBytes length of the input that follows and is read completely first; undefined streams what follows
 */
export function commandLine(privilege: Privilege, scriptBytes: number, inputBytes?: number): string {
  const shell = [
    `export PATH=${TOOL_PATH} LC_ALL=C; unset ${MEDDLING_VARIABLES} ${PROXY_VARIABLES}; umask 022; cd /; printf "${READY.trimEnd()}\\n"`,
    `kw=$(head -c ${scriptBytes}; printf x); [ "\${#kw}" = ${scriptBytes + 1} ] || exit 255`,
    ...(inputBytes === undefined ? [] : [spool(inputBytes)]),
    `eval "\${kw%x}"`,
  ].join('; ');
  const inner = `bash --norc -c '${shell}'`;
  if (privilege === 'none') return inner;
  if (privilege === 'sudo') return `env LC_ALL=C sudo -n -- ${inner}`;
  return `env LC_ALL=C sudo -k -S -p ${PROMPT} -- ${inner}`;
}

/** Input goes through an unlinked 0600 file in memory, which makes it all or nothing and readable at any pace. */
function spool(bytes: number): string {
  if (bytes === 0) return 'exec </dev/null';
  return [
    'kwd=/dev/shm; [ -w "$kwd" ] || kwd=/tmp; kwf=$(mktemp -p "$kwd" .kubewright.XXXXXXXX) || exit 255',
    `head -c ${bytes} >"$kwf"; exec <"$kwf"; [ "$(stat -c %s "$kwf")" = ${bytes} ] || { rm -f "$kwf"; exit 255; }; rm -f "$kwf"`,
  ].join('; ');
}

/** Reads the sudo password from the worker's environment, and sees to it that nothing ever prints it. */
export function sudoPassword(env: NodeJS.ProcessEnv, variable: string | null): string | undefined {
  const password = variable === null ? undefined : env[variable];
  if (password !== undefined && password !== '') registerSecret(password);
  return password || undefined;
}
