import { existsSync } from 'node:fs';
import type { KubewrightError } from '../../../errors.js';
import { hostError } from '../../errors.js';
import { redact } from '../../redact.js';
import { quote } from '../../shell.js';
import type { Evaluated } from './options.js';
import type { Hop } from './way.js';

/** What is known of a connection that did not come to stand, or broke. */
export interface Attempt {
  hop: Hop;
  /** Name of the host in `cluster.yaml`. */
  host: string;
  /** Where `ssh` went, by its own evaluation. */
  at: Evaluated;
  /** The bastion of `cluster.yaml` through which it went. */
  via: string | undefined;
  /** Path of the agent's socket, or null. */
  agent: string | null;
  /** Everything that `ssh`, and the programs of its configuration, wrote on standard error. */
  words: string;
}

type Name = Parameters<typeof hostError>[0];

interface Finding {
  name: Name;
  message: string;
  hint?: string;
}

/** Most telling first: an unknown key is also a connection that was closed. Words of OpenSSH 8.0 to 10. */
const FINDINGS: readonly [RegExp, (attempt: Attempt, found: RegExpExecArray) => Finding][] = [
  [
    /Bad configuration option|bad configuration options|Bad owner or permissions on|no argument after keyword|[Mm]issing argument\b|extra arguments at end|Unsupported option|unsupported .* argument|Can't open user config file/,
    configuration,
  ],
  [/REVOKED HOST KEY DETECTED|is marked as revoked|revoked host key/i, revoked],
  [/REMOTE HOST IDENTIFICATION HAS CHANGED/, changed],
  [/Certificate invalid: (.*)|Host certificate[^\n]* (not yet valid|expired)/, certificate],
  [/Host key verification failed|No \S+ host key is known for/, unknown],
  [/Too many authentication failures/, tooMany],
  [/Permission denied \(([^)]*)\)|: Permission denied[. ]*$|No more authentication methods/m, rejected],
  [/open failed: administratively prohibited/i, prohibited],
  [/stdio forward(?:ing)? (?:request )?failed|open failed: connect failed/i, bastionRefused],
  [/Temporary failure in name resolution/, unreachable],
  [/Could not resolve hostname ([^\n:]*)/, nameNotResolved],
  [/Connection refused/, refused],
  [
    /(?:Connection|Operation) timed out|No route to host|Network is unreachable|Host is (?:down|unreachable)/i,
    unreachable,
  ],
  [
    /no matching [a-z ]+ found[^\n]*|Protocol major versions differ|banner line contains invalid characters|No SSH identification string|Invalid SSH identification string|Bad packet length|banner exchange: Connection to [^\n]*: invalid format|Bad remote protocol version/i,
    handshakeFailed,
  ],
];

/** What another protocol says first; an sshd that is about to go down may say a word of its own, and that heals by itself. */
const SOMETHING_ELSE = /^(HTTP\/|<|220[ -]|\* OK|\+OK|RFB )/;

/** Why `ssh` gave up before the connection stood, in the classes of the other client. */
export function diagnose(attempt: Attempt): KubewrightError {
  const words = plain(attempt.words);
  const [, greeting] = /banner line 0: (.*)/.exec(attempt.words) ?? [];
  if (greeting !== undefined && SOMETHING_ELSE.test(greeting)) return made(attempt, notSsh(attempt, greeting));
  for (const [pattern, find] of FINDINGS) {
    const found = pattern.exec(words);
    if (found) return made(attempt, find(attempt, found));
  }
  const program =
    attempt.at.proxy?.kind === 'ProxyCommand' ? ` (the ProxyCommand ${attempt.at.proxy.what} was in between)` : '';
  return made(attempt, {
    name: 'connectionLost',
    message: `the connection to ${place(attempt)} broke before it stood${program}${lastWords(words)}`,
  });
}

/** Nobody answered in time, and `ssh` was ended for it. */
export function tooSlow(attempt: Attempt): KubewrightError {
  return made(attempt, {
    name: 'unreachable',
    message: `${place(attempt)} took the connection but did not finish the SSH handshake`,
  });
}

/** What a standing connection died of, for messages. */
export function causeOfDeath(words: string, signal: string | null): string {
  const text = plain(words);
  const silent = /Timeout, server .* not responding/.exec(text);
  if (silent) return 'nothing was heard for 9 s or more';
  if (signal !== null) return `ssh was ended by ${signal}`;
  return redact(text.trim().split('\n').at(-1)?.trim() || 'the peer closed it').slice(0, 200);
}

/**
 * What was offered to log in with, from the lines that `LogLevel DEBUG` brings: `Offering public key: PATH TYPE SHA256:…`,
 * the path or comment with or without spaces, and marks such as `explicit` and `agent` behind it.
 */
function offered(words: string): string[] {
  const tried = new Set<string>();
  for (const line of words.replaceAll('\r', '').split('\n')) {
    const [, file] = /^debug1: Trying private key: (.*)$/.exec(line) ?? [];
    // It is said of the usual files, too, that are not there.
    if (file !== undefined && existsSync(file)) tried.add(`key ${file}`);
    const [, name, marks = ''] =
      /^debug1: Offering public key: (.*?) [A-Z0-9-]+ SHA256:\S+((?: \S+)*)$/.exec(line) ?? [];
    if (name !== undefined) tried.add(/ agent\b/.test(marks) ? `key ${name} of the agent` : `key ${name}`);
  }
  return [...tried];
}

/** Without the lines of `LogLevel DEBUG`, which hold the whole configuration, and without carriage returns. */
function plain(words: string): string {
  return words
    .replaceAll('\r', '')
    .split('\n')
    .filter((line) => !/^debug\d: |^OpenSSH_|^$|^Authenticat(?:ed|ing) to |^Transferred: |^Bytes per second/.test(line))
    .join('\n');
}

function place({ hop, at }: Attempt): string {
  return `${hop.label} at ${at.address} port ${at.port}`;
}

function lastWords(words: string): string {
  const last = words.trim().split('\n').at(-1);
  return last ? `: ${redact(last)}` : '';
}

function made(attempt: Attempt, { name, message, hint }: Finding): KubewrightError {
  const output = redact(plain(attempt.words).trim()).slice(-2000);
  return hostError(name, message, { host: attempt.host, ...(hint ? { hint } : {}), ...(output ? { output } : {}) });
}

function configuration(_attempt: Attempt, found: RegExpExecArray): Finding {
  const line = found.input.slice(0, found.index).split('\n').length - 1;
  return {
    name: 'sshConfiguration',
    message: `ssh cannot use its configuration: ${redact(found.input.split('\n')[line] ?? '')}`,
    hint: 'Mend the file, or set `ssh.configFile: null` in cluster.yaml to do without it.',
  };
}

function keyShown(words: string): string {
  const shown = /^debug1: Server host key: (.*)$/m.exec(words.replaceAll('\r', ''));
  return shown?.[1] ?? 'a key that ssh does not name';
}

/** As it stands in known_hosts: `[address]:port`, the port left out where it is 22. */
function knownAs({ at }: Attempt): string {
  return at.port === 22 ? at.address : `[${at.address}]:${at.port}`;
}

function who(attempt: Attempt): string {
  return `${attempt.hop.label} (${knownAs(attempt)})`;
}

function unknown(attempt: Attempt): Finding {
  const { at, words } = attempt;
  const port = at.port === 22 ? '' : `-p ${at.port} `;
  const isJump = at.proxy?.kind === 'ProxyJump' ? `, or of a jump host before it` : '';
  return {
    name: 'hostKeyUnknown',
    message: `the host key of ${who(attempt)}${isJump} is not in ${at.knownHostsFiles.join(', ')}; it showed ${keyShown(words)}`,
    hint:
      `Compare that fingerprint with the host's own (\`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\` on its console), then ` +
      `\`ssh-keyscan ${port}${at.address} >> ${at.knownHostsFiles[0] ?? '~/.ssh/known_hosts'}\`; or set \`ssh.hostKeys: accept-new\`.`,
  };
}

/** `Offending ED25519 key in /home/x/.ssh/known_hosts:3` */
function offending(words: string): string {
  return /Offending \S+ key in (\S.*?:\d+)/.exec(words)?.[1] ?? 'a known_hosts file';
}

function changed(attempt: Attempt): Finding {
  const at = offending(attempt.words);
  return {
    name: 'hostKeyChanged',
    message: `the host key of ${who(attempt)} has changed: ${at} says another one, it showed ${keyShown(attempt.words)}`,
    hint:
      'A person must decide: the machine was rebuilt, or someone stands in between. Only if you know that it was rebuilt: ' +
      `\`ssh-keygen -f ${quote(at.replace(/:\d+$/, ''))} -R '${knownAs(attempt)}'\`, then add the new key.`,
  };
}

function revoked(attempt: Attempt): Finding {
  return {
    name: 'hostKeyRevoked',
    message: `${who(attempt)} showed a key that is revoked (${keyShown(attempt.words)})`,
    hint: 'Somebody withdrew this key. Find out why, and give the host a new one, before you go on.',
  };
}

function certificate(attempt: Attempt, found: RegExpExecArray): Finding {
  return {
    name: 'hostCertificateInvalid',
    message: `${who(attempt)} showed a host certificate that is not valid: ${redact(found[1] ?? found[0])}`,
    hint: `Look at it with \`ssh-keygen -Lf\` on the host: its principals must hold the address that is used, and its time must not be over.`,
  };
}

function rejected(attempt: Attempt, found: RegExpExecArray): Finding {
  const tried = offered(attempt.words);
  const methods = found[1] ?? '';
  const { user } = attempt.at;
  if (/Authenticated using "[^"]*" with partial success|partial success/.test(attempt.words)) {
    return {
      name: 'secondFactor',
      message: `${place(attempt)} wants a second factor from user ${user} (${methods}), which nobody is there to give`,
      hint: 'Let this user log in with a key or certificate alone from the worker, for example with a Match block in sshd_config.',
    };
  }
  if (tried.length === 0 && !/gssapi/.test(methods)) {
    return {
      name: 'noCredentials',
      message: `nothing to log in with: ${agentWords(attempt)}, and ssh found no key for ${user} at ${place(attempt)}`,
      hint: 'Name a key with `ssh.keyFile` in cluster.yaml or IdentityFile in your SSH configuration, or start an agent (`eval $(ssh-agent); ssh-add`).',
    };
  }
  return {
    name: 'authenticationRejected',
    message: `${place(attempt)} rejected the login of user ${user}; tried ${tried.join(', ') || 'GSSAPI'}`,
    hint: 'Check the user, and that the public key is in its ~/.ssh/authorized_keys there, or its certificate one that sshd trusts.',
  };
}

function agentWords({ agent, words }: Attempt): string {
  if (agent === null) return 'no agent';
  const why = /^debug1: get_agent_identities: ssh_[a-z_]+: (.*)$/m.exec(words.replaceAll('\r', ''));
  return why?.[1] ? `the agent at ${agent} did not answer (${why[1]})` : `the agent at ${agent} has no key for it`;
}

function tooMany(attempt: Attempt): Finding {
  return {
    name: 'authenticationRejected',
    message: `${place(attempt)} rejected the login of user ${attempt.at.user} after too many keys; tried ${offered(attempt.words).join(', ')}`,
    hint: 'Name the right key with `ssh.keyFile` and set `ssh.agent: false`, or IdentitiesOnly in your SSH configuration.',
  };
}

function prohibited(attempt: Attempt): Finding {
  return {
    name: 'forwardingProhibited',
    message: `${attempt.via ?? 'the jump host'} may not forward to ${place(attempt)}`,
    hint: 'Allow it there: AllowTcpForwarding, PermitOpen and DisableForwarding in its sshd_config, or the options of the key in authorized_keys.',
  };
}

function bastionRefused(attempt: Attempt): Finding {
  const over = attempt.via ?? 'the jump host';
  return {
    name: 'refused',
    message: `${over} cannot reach ${place(attempt)}`,
    hint: 'It goes on by itself once the host answers there: is it up, and does the bastion reach it?',
  };
}

function nameNotResolved(attempt: Attempt, found: RegExpExecArray): Finding {
  return {
    name: 'nameNotResolved',
    message: `${place(attempt)}: there is no such name${found[1] && found[1] !== attempt.at.address ? ` as ${found[1]}` : ''}`,
    hint: 'Check the address in cluster.yaml, and the DNS of the machine that runs the worker.',
  };
}

function refused(attempt: Attempt): Finding {
  return {
    name: 'refused',
    message: `${place(attempt)} refused the connection`,
    hint: 'It goes on by itself once sshd answers there: is the host still booting, or sshd on another port?',
  };
}

function unreachable(attempt: Attempt, found: RegExpExecArray): Finding {
  return {
    name: 'unreachable',
    message: `${place(attempt)} does not answer (${found[0]})`,
    hint: 'It goes on by itself once the host answers: is it switched on, and is the network between open?',
  };
}

function notSsh(attempt: Attempt, greeting: string): Finding {
  const said = JSON.stringify(redact(greeting.trim()).slice(0, 200));
  return {
    name: 'handshakeFailed',
    message: `${place(attempt)} does not speak SSH; it said ${said}`,
    hint: 'Is it an SSH server? Check address and port in cluster.yaml.',
  };
}

function handshakeFailed(attempt: Attempt, found: RegExpExecArray): Finding {
  return {
    name: 'handshakeFailed',
    message: `${place(attempt)} does not speak SSH as the worker's ssh does: ${redact(found[0])}`,
    hint: 'Is it an SSH server? The two must have a key exchange, a cipher and a type of host key in common.',
  };
}
