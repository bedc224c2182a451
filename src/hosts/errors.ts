import { type ErrorFacts, KubewrightError } from '../errors.js';

/**
 * Codes of this room. Transient ones (a person need not act, waiting may heal them) are retried without counting
 * against the step; all others need a person and count.
 */
export const HostErrorCode = {
  unknownHost: 'KW200',
  refused: 'KW201',
  unreachable: 'KW202',
  connectionLost: 'KW203',
  channelRefused: 'KW204',
  nameNotResolved: 'KW205',
  handshakeFailed: 'KW206',
  authenticationRejected: 'KW210',
  keyUnusable: 'KW211',
  noCredentials: 'KW212',
  hostKeyUnknown: 'KW220',
  hostKeyChanged: 'KW221',
  hostKeyRevoked: 'KW222',
  knownHostsUnreadable: 'KW223',
  knownHostsMalformed: 'KW224',
  certificateAuthority: 'KW225',
  knownHostsNotWritable: 'KW226',
  sudoPasswordMissing: 'KW230',
  sudoPasswordRejected: 'KW231',
  sudoRefused: 'KW232',
  sudoNeedsTerminal: 'KW233',
  sudoMissing: 'KW234',
  shellUnusable: 'KW235',
  sshConfiguration: 'KW240',
  routeCircular: 'KW241',
  secondFactor: 'KW242',
  forwardingProhibited: 'KW243',
  sessionsExhausted: 'KW244',
  wrongLoginUser: 'KW245',
  sudoSilent: 'KW246',
  noSpace: 'KW250',
  transferFailed: 'KW251',
  sourceUnusable: 'KW252',
  fileNotWritten: 'KW253',
  outputTooLarge: 'KW260',
  opensshMissing: 'KW270',
  opensshTooOld: 'KW271',
  opensshUnusable: 'KW272',
  hostCertificateInvalid: 'KW273',
  commandFailed: 'KW410',
  commandTimedOut: 'KW411',
  unitStateUnknown: 'KW412',
  transferStalled: 'KW413',
  unitLost: 'KW425',
  hostRebooted: 'KW426',
  unitNotStarted: 'KW427',
} as const;

type HostErrorName = keyof typeof HostErrorCode;

const TRANSIENT: ReadonlySet<HostErrorName> = new Set<HostErrorName>([
  'refused',
  'unreachable',
  'connectionLost',
  'channelRefused',
  'commandTimedOut',
  'unitStateUnknown',
  'transferStalled',
  'unitLost',
  'hostRebooted',
]);

/** Makes a typed error; whether it is transient follows from its name. */
export function hostError(name: HostErrorName, message: string, facts: ErrorFacts & { host: string }): KubewrightError {
  const transient = TRANSIENT.has(name);
  const hint = transient ? 'It goes on by itself once the host answers again.' : undefined;
  return new KubewrightError(HostErrorCode[name], message, { transient, hint, ...facts });
}

const CONNECTION_CODES: ReadonlySet<string> = new Set([
  HostErrorCode.refused,
  HostErrorCode.unreachable,
  HostErrorCode.connectionLost,
  HostErrorCode.channelRefused,
]);

/** True when the connection broke, or could not be made, in a way that a later attempt may not meet again. */
export function isConnectionError(error: unknown): boolean {
  return error instanceof KubewrightError && CONNECTION_CODES.has(error.code);
}

/** A remote command that exited non-zero, with what a caller may want to decide on. */
export class RemoteCommandError extends KubewrightError {
  constructor(
    message: string,
    facts: ErrorFacts & { host: string },
    /** Exit code; 128 + n when signal n ended it. */
    readonly exitCode: number,
    readonly durationMs: number,
  ) {
    super(HostErrorCode.commandFailed, message, facts);
  }
}
