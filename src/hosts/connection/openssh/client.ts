import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { messageOf } from '../../../errors.js';
import { hostError } from '../../errors.js';
import { redact } from '../../redact.js';
import { Keeper } from './keeper.js';
import { checkKeyFiles } from './keys.js';
import { checkKnownHosts } from './known-hosts.js';
import { configuration, destinationArgs, type Evaluated, readEvaluated } from './options.js';
import { ask, checkProgram, environmentFor, type Version } from './program.js';
import type { Hop } from './way.js';

const SYSTEM_CONFIG = '/etc/ssh/ssh_config';

/** `Match exec` may run a program while the configuration is read. */
const EVALUATION_MS = 60_000;

/** What is ready for `ssh` to be started for one hop. */
export interface Prepared {
  version: Version;
  keeper: Keeper;
  env: NodeJS.ProcessEnv;
  configFile: string;
  at: Evaluated;
}

interface ConfigFile {
  file: string;
  /** Leads to the user's own, and is what `ssh` calls that one in its messages. */
  link: string;
}

/** The system's `ssh` as this process uses it: which one it is, its environment, and the directory for its sockets. */
export class OpensshClient {
  readonly #env: NodeJS.ProcessEnv;
  readonly #log: (line: string) => void;
  #version: Promise<Version> | undefined;
  #keeper: Keeper | undefined;
  readonly #told = new Set<string>();

  constructor(env: NodeJS.ProcessEnv, log: (line: string) => void) {
    this.#env = environmentFor(env);
    this.#log = log;
  }

  /**
   * Everything that can be found out before anything is dialled: the program, the key files, the configuration.
   * @throws KubewrightError KW270 to KW272, KW211, KW240
   */
  async prepare(hop: Hop, host: string, proxyCommand: string | undefined, signal: AbortSignal): Promise<Prepared> {
    const env = this.#env;
    const version = await this.#checked(host);
    await checkKeyFiles(hop, host, env);
    signal.throwIfAborted();
    this.#keeper ??= new Keeper(env);
    const keeper = this.#keeper;
    keeper.ensureDirectory();
    const config = this.#configFile(hop, host, keeper);
    const at = await this.#evaluate(hop, host, config, { proxyCommand, keeper, signal });
    signal.throwIfAborted();
    checkKnownHosts(at.knownHostsFiles, hop.hostKeys, host);
    this.#tell(hop, host, version, at);
    return { version, keeper, env, configFile: config.file, at };
  }

  /** Takes the directory away; connections are closed by then. */
  close(): void {
    this.#keeper?.close();
    this.#keeper = undefined;
  }

  /** Asked once; again after a refusal, for a person may have installed it meanwhile. */
  #checked(host: string): Promise<Version> {
    this.#version ??= checkProgram(this.#env, host);
    this.#version.catch(() => {
      this.#version = undefined;
    });
    return this.#version;
  }

  /**
   * Written anew for each connection, for the user's file may be there by now; under the same name for the same hop. In one
   * piece: several connections are made at once, and a `ssh` that reads a part of it would log in by other rules.
   */
  #configFile(hop: Hop, host: string, keeper: Keeper): ConfigFile {
    const { configFile, isUsualConfig } = hop;
    const name = createHash('sha256').update(JSON.stringify(hop)).digest('hex').slice(0, 12);
    const link = keeper.path(`${name}.user`);
    const file = keeper.path(`${name}.config`);
    const user = configFile !== null && isThere(configFile, isUsualConfig, host) ? configFile : undefined;
    if (user === undefined) rmSync(link, { force: true });
    else replace(link, (fresh) => symlinkSync(user, fresh));
    const systemConfig = isUsualConfig && existsSync(SYSTEM_CONFIG) ? SYSTEM_CONFIG : undefined;
    const places = { userConfig: user === undefined ? undefined : link, systemConfig };
    replace(file, (fresh) => writeFileSync(fresh, configuration(hop, places), { mode: 0o600 }));
    return { file, link };
  }

  async #evaluate(
    hop: Hop,
    host: string,
    config: ConfigFile,
    how: { proxyCommand: string | undefined; keeper: Keeper; signal: AbortSignal },
  ): Promise<Evaluated> {
    const args = ['-G', '-T', ...destinationArgs(hop, config.file, how.proxyCommand), '--', hop.destination];
    const said = await ask('ssh', args, {
      env: this.#env,
      host,
      timeoutMs: EVALUATION_MS,
      signal: how.signal,
      started: (child) => how.keeper.keep(child),
    });
    if (said.code === 0) {
      const at = readEvaluated(said.stdout);
      // The list is told without quotes, so a path with a space in it would not be read back.
      return hop.knownHostsFile === undefined ? at : { ...at, knownHostsFiles: [hop.knownHostsFile] };
    }
    const output = redact(said.stderr.trim().replaceAll(config.link, hop.configFile ?? config.link)).slice(-2000);
    throw hostError('sshConfiguration', `ssh cannot use its configuration: ${output.split('\n')[0] ?? ''}`, {
      host,
      output,
      hint: `Mend ${hop.configFile ?? 'it'}, or set \`ssh.configFile: null\` in cluster.yaml to do without it.`,
    });
  }

  /** Once a hop and process: which way is taken, and what of the user's own is run for it. */
  #tell(hop: Hop, host: string, version: Version, at: Evaluated): void {
    const programs =
      hop.configFile === null
        ? ''
        : '; it reads your SSH configuration and runs what stands there (Match exec, ProxyCommand …)';
    const proxy = at.proxy === undefined ? '' : `, by the ${at.proxy.kind} ${redact(at.proxy.what)}`;
    const line = `${host}: ${version.text} logs in to ${hop.label} as ${at.user}@${at.address}:${at.port}${proxy}${programs}`;
    if (this.#told.has(line)) return;
    this.#told.add(line);
    this.#log(line);
  }
}

/** Puts what is made under a name of its own in the place of a file: whoever opens that finds the former one or the new one. */
function replace(file: string, make: (fresh: string) => void): void {
  const fresh = `${file}.new`;
  rmSync(fresh, { force: true });
  make(fresh);
  renameSync(fresh, file);
}

/**
 * Whether there is a configuration to include. `ssh` refuses its usual file when others may write to it, for whoever does
 * decides which programs run; it does not look at an included one.
 *
 * @throws KubewrightError KW240 when it cannot be read, or is not to be trusted
 */
function isThere(file: string, isUsual: boolean, host: string): boolean {
  const refuse = (why: string, hint: string): Error =>
    hostError('sshConfiguration', `cannot use the SSH configuration ${file}: ${why}`, { host, hint });
  try {
    const { uid, mode } = statSync(file);
    accessSync(file, constants.R_OK);
    const isTrusted = (uid === 0 || uid === process.getuid?.()) && (mode & 0o022) === 0;
    if (isUsual && !isTrusted) throw refuse('others may write to it', `chmod 600 ${file}, and see that it is yours.`);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && isUsual) return false;
    if (code === undefined || code.startsWith('KW')) throw error;
    throw refuse(messageOf(error), 'Mend the file, or set `ssh.configFile: null` in cluster.yaml to do without it.');
  }
}
