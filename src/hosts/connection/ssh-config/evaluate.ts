import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { messageOf } from '../../../errors.js';
import { expandEnvironment, expandTokens } from './expand.js';
import { COLLECTED, IGNORED, LISTS, PROXY, REFUSED, SINGLE } from './keywords.js';
import { type ConfigLine, ConfigProblem, type Place, readLines, words } from './lines.js';
import { type Applies, hostApplies, matchApplies, type Subject, undecided } from './match.js';
import { globFiles, matchesPatternList } from './patterns.js';

/** A value and the line that gave it. */
export interface Setting {
  /** The line's arguments; of ProxyJump and ProxyCommand the rest of the line. */
  values: string[];
  keyword: string;
  place: Place;
}

/** A file to read. Relative Includes of a user's file lie in `~/.ssh`, those of the system's beside it. */
export interface ConfigSource {
  file: string;
  isUsers: boolean;
  mayBeMissing: boolean;
}

export interface Query {
  /** What one would type after `ssh`. */
  host: string;
  /** The user that is given beside it and wins over the files. */
  user?: string;
  /** Who logs in where nothing says otherwise. */
  defaultUser: string;
  /** Who runs this program. */
  localUser: string;
  homeDirectory: string;
  env: NodeJS.ProcessEnv;
}

/** What the configuration says about one destination; the first value of a keyword counts. */
export interface Evaluated {
  /** By keyword in lower case; ProxyJump and ProxyCommand share `proxy`. */
  settings: ReadonlyMap<string, Setting>;
  identityFiles: readonly Setting[];
  certificateFiles: readonly Setting[];
  /** The name or address to connect to. */
  hostName: string;
}

/** OpenSSH follows includes to this depth (READCONF_MAX_DEPTH). */
const MAX_INCLUDE_DEPTH = 16;

/**
 * Reads configuration files for one destination as OpenSSH does: the first value counts, `Host` and `Match` choose, a
 * `Match final` has everything read a second time. No program is run and nothing is looked up in the network.
 *
 * @throws ConfigProblem for what cannot be read, understood or honoured
 */
export function evaluate(sources: readonly ConfigSource[], query: Query): Evaluated {
  const evaluation = new Evaluation(query);
  for (const source of sources) evaluation.read(source);
  const hostName = evaluation.hostName();
  const needsFinal = evaluation.refuseLookUps(hostName);
  if (evaluation.wantsFinal || needsFinal) {
    evaluation.beginFinalPass(hostName);
    for (const source of sources) evaluation.read(source);
  }
  evaluation.refuseUnsupported();
  const { settings, identityFiles, certificateFiles } = evaluation;
  return { settings, identityFiles, certificateFiles, hostName };
}

class Evaluation {
  readonly settings = new Map<string, Setting>();
  readonly identityFiles: Setting[] = [];
  readonly certificateFiles: Setting[] = [];
  wantsFinal = false;
  /** Set in the final pass: the name that the first one came to. */
  #final: string | undefined;

  constructor(private readonly query: Query) {}

  /** Reads one file and what it includes. */
  read(source: ConfigSource): void {
    if (source.mayBeMissing && !existsSync(source.file)) return;
    this.#file(source, true, 0, undefined);
  }

  /** HostName with `%h`, else what was typed; lower case unless it is an address. */
  hostName(): string {
    const name = this.#hostName();
    return net.isIP(name) === 0 ? name.toLowerCase() : name;
  }

  beginFinalPass(hostName: string): void {
    this.#final = hostName;
  }

  #hostName(): string {
    const setting = this.settings.get('hostname');
    if (this.#final !== undefined) return this.#final;
    if (setting === undefined) return this.query.host;
    return expandTokens(setting.values[0] ?? '', { h: this.query.host }, setting.place);
  }

  #subject(): Subject {
    const { query } = this;
    return {
      host: this.#final ?? query.host,
      hostName: this.#hostName(),
      originalHost: query.host,
      user: query.user ?? this.settings.get('user')?.values[0] ?? query.defaultUser,
      localUser: query.localUser,
      isFinal: this.#final !== undefined,
    };
  }

  #file(source: ConfigSource, around: Applies, depth: number, from: Place | undefined): void {
    const { file } = source;
    if (depth > MAX_INCLUDE_DEPTH) throw new ConfigProblem(from ?? { file, line: 1 }, 'too many nested Include lines');
    let applies = around;
    for (const line of readLines(file, readText(file, from))) {
      if (line.keyword === 'host') {
        applies = both(around, hostApplies(line, this.#subject()));
      } else if (line.keyword === 'match') {
        const matched = matchApplies(line, this.#subject());
        this.wantsFinal ||= matched.wantsFinal;
        applies = both(around, matched.applies);
      } else if (line.keyword === 'include') {
        // Also where it does not apply: a `Match final` in there asks for a second reading all the same.
        this.#include(source, line, applies, depth);
      } else if (applies !== false) this.#set(line, applies);
    }
  }

  #include(source: ConfigSource, line: ConfigLine, applies: Applies, depth: number): void {
    const { homeDirectory } = this.query;
    for (const word of words(line)) {
      const written = expandEnvironment(word, this.query.env, line);
      if (written.includes('%')) throw new ConfigProblem(line, `Include with a token in it: ${word}`, true);
      if (written.startsWith('~') && !/^~(?=\/|$)/.test(written))
        throw new ConfigProblem(line, `Include of another user's home directory: ${word}`, true);
      if (written.startsWith('~') && !source.isUsers) throw new ConfigProblem(line, `bad Include path ${word}`);
      const base = source.isUsers ? path.join(homeDirectory, '.ssh') : path.dirname(source.file);
      const pattern = path.resolve(base, written.replace(/^~(?=\/|$)/, homeDirectory));
      for (const file of filesOf(pattern, line)) this.#file({ ...source, file }, applies, depth + 1, line);
    }
  }

  #set(line: ConfigLine, applies: true | Exclude<Applies, boolean>): void {
    const { keyword } = line;
    const slot = (PROXY as readonly string[]).includes(keyword) ? 'proxy' : keyword;
    const isCollected = (COLLECTED as readonly string[]).includes(keyword);
    const isSingle = slot === 'proxy' || (SINGLE as readonly string[]).includes(keyword) || keyword in REFUSED;
    if (!isCollected && !isSingle) {
      if (IGNORED.has(keyword) || this.#ignoresUnknown(keyword)) return;
      throw new ConfigProblem(line, `${keyword} is not a keyword that Kubewright knows`, true);
    }
    if (isSingle && this.#isTaken(slot, keyword)) return;
    if (applies !== true) throw undecided(applies, keyword);
    const values = slot === 'proxy' ? [proxyOf(line)] : words(line);
    if ((values[0] ?? '') === '') throw new ConfigProblem(line, `${keyword} has no argument`);
    if (values.length > 1 && !LISTS.has(keyword)) throw new ConfigProblem(line, `${keyword} has too many arguments`);
    const setting = { values, keyword, place: { file: line.file, line: line.line } };
    if (isSingle) this.settings.set(slot, setting);
    else collect(keyword === 'identityfile' ? this.identityFiles : this.certificateFiles, setting);
  }

  /** The first value counts; but `ProxyJump none` does not keep a ProxyCommand away, as `ssh -G` shows. */
  #isTaken(slot: string, keyword: string): boolean {
    const setting = this.settings.get(slot);
    const isNoJump = setting?.keyword === 'proxyjump' && setting.values[0]?.toLowerCase() === 'none';
    return setting !== undefined && !(keyword === 'proxycommand' && isNoJump);
  }

  #ignoresUnknown(keyword: string): boolean {
    const patterns = this.settings.get('ignoreunknown')?.values[0];
    return patterns !== undefined && matchesPatternList(keyword, patterns.toLowerCase());
  }

  /**
   * CanonicalizeHostname asks the network for names. Where it would not ask (an address, a way over a proxy, a name with
   * dots enough) it only has the files read again.
   *
   * @returns whether they are
   */
  refuseLookUps(hostName: string): boolean {
    const setting = this.settings.get('canonicalizehostname');
    const mode = setting?.values[0]?.toLowerCase() ?? 'no';
    const cnames = this.settings.get('canonicalizepermittedcnames');
    const isOn = !REFUSED.canonicalizehostname?.includes(mode);
    const isDirect = /^none$/i.test(this.settings.get('proxy')?.values[0]?.trim() ?? 'none');
    const dots = Number(this.settings.get('canonicalizemaxdots')?.values[0] ?? 1);
    const mayAsk = net.isIP(hostName) === 0 && (isDirect || mode === 'always');
    const completes = isOn && (hostName.endsWith('.') || hostName.split('.').length - 1 <= dots);
    const followsNames = cnames !== undefined && !REFUSED.canonicalizepermittedcnames?.includes(cnames.values[0] ?? '');
    const culprit = mayAsk && (completes ? setting : followsNames ? cnames : undefined);
    if (culprit) throw unsupported(culprit);
    this.settings.delete('canonicalizehostname');
    this.settings.delete('canonicalizepermittedcnames');
    return isOn;
  }

  refuseUnsupported(): void {
    for (const [keyword, allowed] of Object.entries(REFUSED)) {
      const setting = this.settings.get(keyword);
      if (setting === undefined || keyword.startsWith('canonicalize')) continue;
      if (!allowed.includes(setting.values[0]?.toLowerCase() ?? '')) throw unsupported(setting);
    }
  }
}

/** ProxyCommand takes the rest of the line as it is, ProxyJump up to a comment. */
function proxyOf({ keyword, rest }: ConfigLine): string {
  return keyword === 'proxyjump' ? rest.replace(/#.*$/, '').trim() : rest;
}

function unsupported({ keyword, values, place }: Setting): ConfigProblem {
  return new ConfigProblem(place, `${keyword} ${values.join(' ')} is not supported by the built-in client`, true);
}

/** Both the block around an Include and the one inside must apply. */
function both(around: Applies, inner: Applies): Applies {
  if (around === false || inner === false) return false;
  return around === true ? inner : around;
}

/** OpenSSH drops a file that is named again. */
function collect(list: Setting[], setting: Setting): void {
  if (!list.some(({ values }) => values[0] === setting.values[0])) list.push(setting);
}

function filesOf(pattern: string, line: ConfigLine): string[] {
  try {
    return globFiles(pattern);
  } catch (error) {
    throw new ConfigProblem(line, `cannot follow Include: ${messageOf(error)}`);
  }
}

function readText(file: string, from: Place | undefined): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigProblem(from ?? { file, line: 1 }, `cannot read ${file}: ${messageOf(error)}`);
  }
}
