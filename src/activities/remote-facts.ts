import { createHash } from 'node:crypto';
import { KubewrightError } from '../errors.js';
import type { RemoteHost } from '../hosts/types.js';
import { type Answer, no, unknown, yes } from './answers.js';

/** Exit status with which a command asked by `ask` says no; any other but zero means that it could not be asked. */
export const SAYS_NO = 44;

/** Characters, of at most four bytes each, that stand in one line as they are. */
const SHORT = 700;
const LINE_END = '\x1f';

/**
 * Bash: `fact NAME COMMAND…` runs a command and prints its name, exit status and output as one line: as it is, with another
 * character for line ends, for a program that encodes costs a host more than most of the questions; in base64 where it is
 * long, and then as further lines with `more`. So facts may be gathered side by side (`fact … &`): what goes to a pipe in one
 * piece of at most 4 KiB stays in one piece (PIPE_BUF, pipe(7)); longer ones are mixed with those of others.
 * `digest FILE` prints the SHA-256 of a file.
 *
 * `row NAME VALUE…` tells something of which there may be many, such as each disk: one line of values, which hold no tabs.
 *
 * `ask NAME COMMAND…` puts a question on whose answer something may be destroyed: exit status 0 is yes, ${SAYS_NO} is no,
 * and anything else is unknown, for the reason that stands on standard error. What fails at once is asked twice more: in an
 * election or under load one call in three may fail, and a look that asks ten things would never be complete. `exists PATH…` is such a command for paths
 * of which one is there (links that lead nowhere included), `content PATH` for a file and what is in it: both say no only
 * where the directory above could be looked into. `runs UNIT` is another one: no is only what systemd says of a unit that
 * does not run; one that is on its way, and a systemd that does not answer, are neither.
 */
const LIBRARY = `set +e +u
fact() {
  local kw_name=$1 kw_text kw_status=0 kw_word=fact kw_piece
  shift
  kw_text=$("$@" 2>/dev/null </dev/null) || kw_status=$?
  if [ \${#kw_text} -le ${SHORT} ] && [[ $kw_text != *[$'\\x1f\\r']* ]]; then
    kw_text=\${kw_text//$'\\n'/$'\\x1f'}
    printf 'said %s %s %s\\n' "$kw_name" "$kw_status" "$kw_text"
    return "$kw_status"
  fi
  while read -r kw_piece || [ "$kw_word" = fact ]; do
    printf '%s %s %s %s\\n' "$kw_word" "$kw_name" "$kw_status" "$kw_piece"
    kw_word=more
  done < <(printf %s "$kw_text" | base64 -w 3000)
  return "$kw_status"
}
row() { local IFS=$'\\t'; printf 'row %s\\n' "$*"; }
digest() { sha256sum <"$1" | cut -c 1-64; }
ask() {
  local kw_question=$1 kw_try kw_began kw_why kw_said
  shift
  for kw_try in 1 2 3; do
    kw_began=$SECONDS
    # The command's output goes through a pipe of its own, so that its errors can be told from it.
    { kw_why=$({ fact "$kw_question" ask_loudly "$@"; } 3>&1 >&4); kw_said=$?; } 4>&1
    [ "$kw_said" != 0 ] && [ "$kw_said" != ${SAYS_NO} ] && [ $((SECONDS - kw_began)) -lt 2 ] || break
    sleep 0.2
  done
  [ \${#kw_why} -le ${SHORT} ] || kw_why=\${kw_why: -${SHORT}}
  kw_why=\${kw_why//[$'\\x1f\\r']/}
  kw_why=\${kw_why//$'\\n'/$'\\x1f'}
  [ -z "$kw_why" ] || printf 'why %s 0 %s\\n' "$kw_question" "$kw_why"
}
ask_loudly() { "$@" 2>&3; }
exists() {
  local kw_path kw_said
  for kw_path in "$@"; do
    { [ ! -e "$kw_path" ] && [ ! -L "$kw_path" ]; } || return 0
    # Told apart from a path that cannot be looked at: a dead mount, a broken disk.
    kw_said=$(stat -- "$kw_path" 2>&1 >/dev/null) && return 0
    [[ $kw_said == *'No such file or directory'* || $kw_said == *'Not a directory'* ]] || { echo "$kw_said" >&2; return 1; }
  done
  return ${SAYS_NO}
}
content() { exists "$1" || return; cat -- "$1"; }
runs() {
  case $(systemctl is-active "$1") in
    active | reloading) return 0 ;;
    inactive | failed | unknown) return ${SAYS_NO} ;;
  esac
  echo "systemd does not say whether $1 runs" >&2
  return 1
}
`;

/** What `digest FILE` prints when the file has this content. */
export function digestOf(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

interface Fact {
  status: number;
  base64: string;
  /** Instead of base64. */
  plain?: string;
}

/** Last line of every script of facts: without it the answer was cut short on its way. */
const END = 'facts end';

/** What a script of `fact` calls found out about a host. */
export class Facts {
  readonly #facts = new Map<string, Fact>();
  readonly #why = new Map<string, string>();
  readonly #rows = new Map<string, string[][]>();

  constructor(stdout: string) {
    for (const line of stdout.split('\n')) {
      if (line.startsWith('row ')) {
        const [name = '', ...values] = line.slice(4).split('\t');
        this.#rows.set(name, [...(this.#rows.get(name) ?? []), values]);
        continue;
      }
      const [, how, whose = '', code, plain = ''] = /^(said|why) (\S+) (\d+) ?(.*)$/s.exec(line) ?? [];
      if (how === 'why') this.#why.set(whose, inLines(plain));
      if (how === 'said') this.#facts.set(whose, { status: Number(code), base64: '', plain });
      const [, word, name, status, base64 = ''] = /^(fact|more) (\S+) (\d+) ?(\S*)$/.exec(line) ?? [];
      if (name === undefined) continue;
      const before = word === 'more' ? this.#facts.get(name)?.base64 : undefined;
      this.#facts.set(name, { status: Number(status), base64: `${before ?? ''}${base64}` });
    }
  }

  /**
   * What was answered to a question that was put by `ask`.
   *
   * @param refusal what a no means, as evidence: "nothing of a cluster is on cp-2"
   */
  answer(name: string, refusal: string): Answer<string> {
    const fact = this.#facts.get(name);
    if (fact === undefined) return unknown('it was not asked');
    if (fact.status === 0) return yes(textOf(fact));
    if (fact.status === SAYS_NO) return no(refusal);
    return unknown(this.#why.get(name) || `the question failed with exit code ${fact.status}`);
  }

  /** Whether its command came to an end, whatever it said. */
  isAsked(name: string): boolean {
    return this.#facts.has(name);
  }

  /** Whether its command succeeded. Not for decisions on which something is destroyed: see `answer`. */
  holds(name: string): boolean {
    return this.#facts.get(name)?.status === 0;
  }

  /** The values of every `row` of a name, in their order. */
  rows(name: string): string[][] {
    return this.#rows.get(name) ?? [];
  }

  /** What its command printed, trimmed; empty when it was not asked. */
  text(name: string): string {
    const fact = this.#facts.get(name);
    return fact === undefined ? '' : textOf(fact);
  }
}

function textOf({ base64, plain }: Fact): string {
  return plain === undefined ? Buffer.from(base64, 'base64').toString('utf8').trim() : inLines(plain);
}

function inLines(plain: string): string {
  return plain.replaceAll(LINE_END, '\n').trim();
}

/** A script of facts with all that it is run with, for a bash that is not on a host. */
export function factsProgram(script: string): string {
  return `${LIBRARY}${script}\nwait\necho '${END}'\nexit 0\n`;
}

export interface FactsOptions {
  /** Code of an answer that did not come whole. */
  cutShort?: string;
  /** How long the host may take to answer: a slow one is no silent one. */
  timeoutMs?: number;
  /** For the script's standard input: what may stand in no argument list. */
  input?: string;
}

/** Most hosts answer in a second; one with slow disks, short of memory or under emulation takes many. */
const ANSWER_MS = 60_000;

/**
 * Asks a host for facts in one round trip. A command that fails, or is not there, is a fact too.
 *
 * @throws KubewrightError KW437 (transient), or `cutShort`, when the answer did not come whole
 */
export async function gatherFacts(
  host: RemoteHost,
  script: string,
  signal: AbortSignal,
  { cutShort = 'KW437', timeoutMs = ANSWER_MS, input }: FactsOptions = {},
): Promise<Facts> {
  const { stdout } = await host.run(factsProgram(script), {
    signal,
    timeoutMs,
    ...(input === undefined ? {} : { input }),
  });
  if (stdout.trimEnd().endsWith(END)) return new Facts(stdout);
  throw new KubewrightError(cutShort, 'its answer did not come whole', {
    host: host.name,
    transient: true,
    hint: 'Nothing was changed, and it is asked again by itself.',
  });
}
