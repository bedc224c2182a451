import { constants } from 'node:os';
import { KubewrightError } from '../../errors.js';
import { hostError, isConnectionError } from '../errors.js';
import { registerSecretFile } from '../redact.js';
import type { DurableCommand, DurableResult } from '../types.js';
import { type AttendParameters, attendScript, stopScript } from './host-scripts.js';
import { OutputLines } from './lines.js';
import { inputHash, unitName } from './names.js';

/** What this room needs of a host: to start a script as root with its standard input open. */
export interface DurableHost {
  readonly name: string;
  start(
    script: string,
    handlers: { onStdout(chunk: Buffer): void; onStderr(chunk: Buffer): void; signal?: AbortSignal },
  ): Promise<{ write(data: string | Buffer): void; close(): void; exit: Promise<number> }>;
  run(script: string): Promise<string>;
}

/** Last lines of output that a result carries. */
const OUTPUT_BYTES = 8 * 1024;

/** Reconnections in a row without a byte of progress, before the caller's own retry takes over. */
const RECONNECTIONS = 2;

/**
 * Starts a named unit on the host, or attaches to the one that runs, and follows it to its end.
 * See `RemoteHost.runDurable`.
 */
export async function runDurable(host: DurableHost, command: DurableCommand): Promise<DurableResult> {
  const attendance = new Attendance(host, command);
  for (let broken = 0; ; ) {
    const before = attendance.offset;
    try {
      return await attendance.attend();
    } catch (error) {
      if (!isConnectionError(error) || !attendance.attached || command.signal?.aborted) throw error;
      broken = attendance.offset > before ? 1 : broken + 1;
      if (broken > RECONNECTIONS) throw error;
    }
  }
}

/**
 * Ends running units, by one id or by the beginning of their ids; returns how many ran. Their results will answer
 * nobody but those who follow them now.
 *
 * @throws KubewrightError KW412 (transient) when of some it cannot be told whether they run
 */
export async function stopDurables(host: DurableHost, what: { id: string } | { prefix: string }): Promise<number> {
  const [stopped = 0, unsure = 0] = (await host.run(stopScript(what))).trim().split(' ').map(Number);
  if (unsure === 0) return stopped;
  throw hostError('unitStateUnknown', `${unsure} running command${unsure === 1 ? '' : 's'} could not be stopped`, {
    host: host.name,
    hint: "See `systemctl list-units 'kubewright-*'` on the host.",
  });
}

interface Ending {
  result: string;
  exitCode: number;
  durationMs: number;
}

/** One caller's way through one durable command, over as many connections as it takes. */
class Attendance {
  /** Run directory's name below the unit's directory, once known. */
  #run: string | undefined;
  #reattached = false;
  #secrets: Record<string, string | Buffer> | undefined;
  readonly #lines: OutputLines;
  readonly #parameters: AttendParameters;
  /** Offset in the output file of the byte that comes next. */
  offset = 0;

  constructor(
    private readonly host: DurableHost,
    private readonly command: DurableCommand,
  ) {
    this.#lines = new OutputLines(OUTPUT_BYTES, command.onOutput);
    this.#parameters = {
      unit: unitName(command.id),
      id: command.id,
      hash: inputHash(command.script),
      attempt: command.attempt ?? '',
      seconds: Math.max(1, Math.ceil(command.timeoutSeconds)),
    };
  }

  get attached(): boolean {
    return this.#run !== undefined;
  }

  async attend(): Promise<DurableResult> {
    const { secrets } = this.command;
    if (this.#run !== undefined)
      return this.#follow(attendScript(this.#parameters, { mode: 'resume', run: this.#run, offset: this.offset }));
    if (secrets !== undefined && this.#secrets === undefined) {
      const found = await this.#session(attendScript(this.#parameters, { mode: 'look' }));
      if (found !== 'none') return this.#deliver(found);
      this.#secrets = await secrets();
      for (const value of Object.values(this.#secrets)) registerSecretFile(value.toString('utf8'));
    }
    const { script, guard = '' } = this.command;
    const payload = framePayload(guard + script, this.#secrets ?? {});
    return this.#follow(attendScript(this.#parameters, { mode: 'start', payload: payload.length }), payload);
  }

  async #follow(script: string, payload?: Buffer): Promise<DurableResult> {
    return this.#deliver(await this.#session(script, payload));
  }

  #deliver(ending: Ending | 'none' | undefined): DurableResult {
    const { host } = this;
    if (ending === undefined || ending === 'none') {
      throw hostError('connectionLost', `lost sight of ${this.#parameters.unit}: the channel closed before its end`, {
        host: host.name,
      });
    }
    return { ...ending, output: this.#lines.end(), reattached: this.#reattached };
  }

  /** One script on the host: talks with it until it ends or has told the end of the unit. */
  async #session(script: string, payload?: Buffer): Promise<Ending | 'none' | undefined> {
    let told: Ending | 'none' | KubewrightError | undefined;
    let pending = '';
    const complaints: string[] = [];
    const onStderr = (chunk: Buffer): void => {
      const lines = (pending + chunk.toString('utf8')).split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) {
        if (!line.startsWith('kw ')) complaints.push(line);
        else told = this.#onControl(line.slice(3).split(' ')) ?? told;
      }
      if (told !== undefined) stream?.write('delivered\n');
    };
    let stream: { write(data: string | Buffer): void; close(): void; exit: Promise<number> } | undefined;
    stream = await this.host.start(script, {
      onStdout: (chunk) => {
        this.offset += chunk.length;
        this.#lines.push(chunk);
      },
      onStderr,
      signal: this.command.signal,
    });
    if (payload !== undefined) stream.write(payload);
    try {
      const code = await stream.exit;
      if (told === undefined && code !== 0)
        throw this.#notStarted(complaints.slice(-3).join(' ') || `exit code ${code}`);
    } catch (error) {
      // The end is known; that the channel broke behind it changes nothing.
      if (told === undefined || !isConnectionError(error)) throw error;
    }
    if (told instanceof KubewrightError) throw told;
    return told;
  }

  #onControl([verb, ...rest]: string[]): Ending | 'none' | KubewrightError | undefined {
    const { host } = this;
    const { unit } = this.#parameters;
    switch (verb) {
      case 'run':
        this.#reattached ||= rest[0] === 'running' || rest[0] === 'ended';
        this.#run = rest[1];
        this.offset = Number(rest[2]);
        return undefined;
      case 'end':
        return readEnding(rest);
      case 'none':
        return 'none';
      case 'lost':
        this.#run = undefined;
        return hostError('unitLost', `${unit} is gone and left no result`, {
          host: host.name,
          hint: 'The step looks at the host again and does what is still to be done.',
        });
      case 'rebooted':
        this.#run = undefined;
        return hostError('hostRebooted', `the host was restarted while ${unit} ran`, {
          host: host.name,
          hint: 'The step looks at the host again and does what is still to be done.',
        });
      case 'unknown':
        return hostError('unitStateUnknown', `cannot tell whether ${unit} runs: ${rest.join(' ')}`, {
          host: host.name,
          hint: 'Nothing was begun or taken away. It is asked again by itself; `systemctl status` on the host tells more.',
        });
      case 'late':
        return hostError('transferStalled', `the command for ${unit} did not arrive within two minutes`, {
          host: host.name,
        });
      case 'failed':
        return this.#notStarted(rest.join(' '));
      default:
        return undefined;
    }
  }

  #notStarted(why: string): KubewrightError {
    return hostError('unitNotStarted', `${this.#parameters.unit} could not be started: ${why.trim()}`, {
      host: this.host.name,
      hint: 'Look at free space below /var/lib and /run, and at `systemctl status` on the host.',
    });
  }
}

/** systemd.exec(5): $EXIT_CODE is exited, killed or dumped; $EXIT_STATUS a number or a signal's name without SIG. */
function readEnding([result = '', code = '', status = '', started = '0', ended = '0']: string[]): Ending {
  const durationMs = Math.max(0, Number(ended) - Number(started));
  if (code === 'exited') return { result, exitCode: Number(status), durationMs };
  const signal = constants.signals[`SIG${status}` as NodeJS.Signals] ?? 0;
  // To systemd a unit that was stopped by TERM is a success; to whoever waits for its command it is not.
  return { result: result === 'success' ? 'signal' : result, exitCode: 128 + signal, durationMs };
}

/** `SIZE NAME` and a newline before the bytes of each file; `0 .` ends it. */
function framePayload(script: string, secrets: Record<string, string | Buffer>): Buffer {
  const files: [string, string | Buffer][] = [['command.sh', script]];
  for (const [name, value] of Object.entries(secrets)) {
    if (!/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name))
      throw new TypeError(`not a name for a secret file: ${JSON.stringify(name)}`);
    files.push([`secret/${name}`, value]);
  }
  const parts = files.flatMap(([name, content]) => {
    const bytes = Buffer.from(content as string);
    return [Buffer.from(`${bytes.length} ${name}\n`), bytes];
  });
  return Buffer.concat([...parts, Buffer.from('0 .\n')]);
}
