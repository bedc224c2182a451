import { type ConfigLine, ConfigProblem, matchWords, type Place, words } from './lines.js';
import { matchesPattern, matchesPatternList } from './patterns.js';

/** Whether the lines of a block apply: yes, no, or only a program or a look-up that is not made could tell. */
export type Applies = true | false | Unknown;

export interface Unknown {
  place: Place;
  /** Such as `Match exec`. */
  criterion: string;
}

/** What a block is held against. */
export interface Subject {
  /** What `Host` is matched with: what was typed, in the final pass the name that HostName gave. */
  host: string;
  /** What `Match host` is matched with. */
  hostName: string;
  originalHost: string;
  user: string;
  localUser: string;
  isFinal: boolean;
}

/** A `Host` line. A negated pattern that matches excludes, whatever else matches. */
export function hostApplies(line: ConfigLine, { host }: Subject): boolean {
  let matched = false;
  for (const word of words(line)) {
    if (word === '') throw new ConfigProblem(line, 'Host has an empty pattern');
    const isNegated = word.startsWith('!');
    if (!matchesPattern(host, isNegated ? word.slice(1) : word)) continue;
    if (isNegated) return false;
    matched = true;
  }
  return matched;
}

const KNOWN: Readonly<Record<string, (subject: Subject, argument: string) => boolean>> = {
  host: ({ hostName }, list) => matchesPatternList(hostName.toLowerCase(), list.toLowerCase()),
  originalhost: ({ originalHost }, list) => matchesPatternList(originalHost.toLowerCase(), list.toLowerCase()),
  user: ({ user }, list) => matchesPatternList(user, list),
  localuser: ({ localUser }, list) => matchesPatternList(localUser, list),
};

/** Criteria that need a program, the network, or a newer client's state. */
const UNKNOWABLE = ['exec', 'localnetwork', 'tagged', 'command', 'sessiontype', 'version'];

/**
 * A `Match` line (readconf.c, match_cfg_line). One criterion that does not hold decides, whatever the others are, so that
 * `Match host *.example.com exec …` is unknown for those hosts alone.
 *
 * @returns also whether the line asks for a final pass
 * @throws ConfigProblem for a criterion that does not exist
 */
export function matchApplies(line: ConfigLine, subject: Subject): { applies: Applies; wantsFinal: boolean } {
  const list = matchWords(line);
  let applies: Applies = true;
  let wantsFinal = false;
  const hold = (value: boolean, isNegated: boolean): void => {
    if (value === isNegated) applies = false;
  };
  for (let at = 0; at < list.length; at += 1) {
    const isNegated = list[at]?.startsWith('!') ?? false;
    const name = (list[at] ?? '').slice(isNegated ? 1 : 0).toLowerCase();
    if (name === 'all') {
      if (at > 1 || at + 1 < list.length) throw new ConfigProblem(line, '`all` must stand alone on a Match line');
      hold(true, isNegated);
    } else if (name === 'canonical' || name === 'final') {
      wantsFinal ||= name === 'final';
      hold(subject.isFinal, isNegated);
    } else {
      at += 1;
      const verdict = criterion(line, name, list[at], subject);
      if (typeof verdict === 'boolean') hold(verdict, isNegated);
      else if (applies === true) applies = verdict;
    }
  }
  return { applies, wantsFinal };
}

function criterion(line: ConfigLine, name: string, argument: string | undefined, subject: Subject): boolean | Unknown {
  const isUnknowable = UNKNOWABLE.includes(name);
  const known = KNOWN[name];
  if (known === undefined && !isUnknowable) throw new ConfigProblem(line, `Match ${name} is not known`);
  if (argument === undefined || argument === '') throw new ConfigProblem(line, `Match ${name} has no argument`);
  return known?.(subject, argument) ?? { place: { file: line.file, line: line.line }, criterion: `Match ${name}` };
}

/** Why a setting in a block that may or may not apply cannot be taken. */
export function undecided({ place, criterion }: Unknown, keyword: string): ConfigProblem {
  return new ConfigProblem(
    place,
    `whether \`${criterion}\` holds is not asked, for that may take a program, and ${keyword} depends on it`,
    true,
  );
}
