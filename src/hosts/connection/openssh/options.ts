import { isAtLeast, type Version } from './program.js';
import type { Hop } from './way.js';

/** A ping this often; three unanswered ones are a lost connection, noticed after 9 to 12 s as with the other client. */
export const ALIVE_SECONDS = 3;
export const ALIVE_COUNT = 3;

/**
 * For TCP and the server's first words together. Longer than the other client's 5 s for TCP alone, since the program
 * behind a ProxyCommand needs some to start. The user's configuration may say something else.
 */
const CONNECT_SECONDS = 10;

/** Files that a configuration takes part in, below the directory of this process. */
export interface Places {
  /** A link to the user's configuration: its path may have letters that `Include` would take for a pattern. */
  userConfig: string | undefined;
  /** The system's configuration, or undefined where `ssh` would not read it either. */
  systemConfig: string | undefined;
}

/**
 * The configuration for one hop. Of each setting `ssh` takes the first value that it meets: so what `cluster.yaml` decides
 * stands before the user's own files, and what it leaves open behind them. It counts for the jump hosts of a ProxyJump as
 * well, for which `ssh` starts itself with the same file.
 */
export function configuration(hop: Hop, places: Places): string {
  const { hostKeys, knownHostsFile, destination, defaultUser } = hop;
  const lines = [
    '# Written by Kubewright for one connection; gone with it.',
    'Host *',
    '  BatchMode yes',
    // `ssh` would add and remove keys by itself; here a person does.
    '  UpdateHostKeys no',
    `  StrictHostKeyChecking ${hostKeys === 'accept-new' ? 'accept-new' : 'yes'}`,
    ...(knownHostsFile === undefined ? [] : [`  UserKnownHostsFile ${word(knownHostsFile)}`]),
    ...(hop.agent ? [] : ['  IdentityAgent none']),
    'Match all',
    ...[places.userConfig, places.systemConfig].flatMap((file) => (file === undefined ? [] : [`Include ${file}`])),
    `Host ${destination}`,
    `  User ${defaultUser}`,
    'Host *',
    `  ConnectTimeout ${CONNECT_SECONDS}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** A path as one word of a configuration line. `wayTo` has refused quotes, backslashes and `$`. */
function word(file: string): string {
  return `"${file.replaceAll('%', '%%')}"`;
}

/** What decides where `ssh` goes and as whom: the same for asking what it would do (`-G`) and for doing it. */
export function destinationArgs(hop: Hop, configFile: string, proxyCommand: string | undefined): string[] {
  return [
    '-F',
    configFile,
    ...(hop.user === undefined ? [] : ['-l', hop.user]),
    ...(hop.port === undefined ? [] : ['-p', String(hop.port)]),
    ...hop.keyFiles.flatMap((file) => ['-i', file.replaceAll('%', '%%')]),
    ...(proxyCommand === undefined ? [] : ['-o', `ProxyCommand=${proxyCommand}`]),
  ];
}

/**
 * A connection that stays in the foreground, opens no session of its own (sshd may allow one), and takes channels over its
 * control socket. What a person's configuration would do beside that, forwardings, a remote command, a terminal, is not
 * for this connection. `DEBUG` makes it say which key the server showed and which keys it offered.
 */
export function masterArgs(control: string, version: Version): string[] {
  const options = {
    ControlMaster: 'yes',
    ControlPersist: 'no',
    ClearAllForwardings: 'yes',
    RemoteCommand: 'none',
    RequestTTY: 'no',
    Tunnel: 'no',
    EscapeChar: 'none',
    ServerAliveInterval: ALIVE_SECONDS,
    ServerAliveCountMax: ALIVE_COUNT,
    LogLevel: 'DEBUG',
    ...(isAtLeast(version, 8, 7) ? { ForkAfterAuthentication: 'no', StdinNull: 'no' } : {}),
  };
  return ['-M', '-N', '-T', '-a', '-x', '-S', control, ...optionArgs(options)];
}

/**
 * A channel over a connection. `ssh` goes on by a connection of its own when the socket is gone or another session is
 * refused: `ProxyCommand=false` sees to it that it cannot. No configuration is read, so none of its programs runs.
 */
export function channelArgs(control: string): string[] {
  const options = {
    ControlMaster: 'no',
    ProxyCommand: 'false',
    BatchMode: 'yes',
    EscapeChar: 'none',
    LogLevel: 'ERROR',
  };
  return ['-F', '/dev/null', '-T', '-a', '-x', '-S', control, ...optionArgs(options)];
}

/** Carries the connection to the next hop through the one to a bastion. Words without anything that a shell reads. */
export function proxyCommandThrough(control: string, bastion: Hop): string {
  return ['ssh', ...channelArgs(control), '-W', "'[%h]:%p'", '--', bastion.destination].join(' ');
}

function optionArgs(options: Record<string, string | number>): string[] {
  return Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/** What `ssh -G` says that it would do. */
export interface Evaluated {
  user: string;
  address: string;
  port: number;
  connectSeconds: number;
  knownHostsFiles: string[];
  /** As written: a path, `none`, `SSH_AUTH_SOCK`, `$NAME`; undefined for what the environment says. */
  identityAgent: string | undefined;
  /** First word of the ProxyCommand, which is run, or the ProxyJump; undefined for a direct connection. */
  proxy: { kind: 'ProxyCommand' | 'ProxyJump'; what: string } | undefined;
}

/** Reads the output of `ssh -G`: a lower-case keyword and its value on each line. */
export function readEvaluated(output: string): Evaluated {
  const values = new Map<string, string>();
  for (const line of output.split('\n')) {
    const [, key, value] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined && !values.has(key)) values.set(key, value);
  }
  const jump = values.get('proxyjump');
  const command = values.get('proxycommand');
  const isSet = (value: string | undefined): value is string => value !== undefined && value.toLowerCase() !== 'none';
  return {
    user: values.get('user') ?? '',
    address: values.get('hostname') ?? '',
    port: Number(values.get('port') ?? 22),
    connectSeconds: Number(values.get('connecttimeout')) || CONNECT_SECONDS,
    knownHostsFiles: (values.get('userknownhostsfile') ?? '').split(' ').filter((file) => file !== ''),
    identityAgent: values.get('identityagent'),
    proxy: isSet(jump)
      ? { kind: 'ProxyJump', what: jump }
      : isSet(command)
        ? { kind: 'ProxyCommand', what: command.trim().split(/\s+/)[0] ?? '' }
        : undefined,
  };
}

/** Where `ssh` looks for the agent, by its environment. */
export function agentOf({ identityAgent }: Evaluated, env: NodeJS.ProcessEnv): string | null {
  if (identityAgent?.toLowerCase() === 'none') return null;
  if (identityAgent === undefined || identityAgent === 'SSH_AUTH_SOCK') return env.SSH_AUTH_SOCK || null;
  return identityAgent.startsWith('$') ? env[identityAgent.slice(1)] || null : identityAgent;
}
