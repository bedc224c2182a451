import { createHash } from 'node:crypto';
import type { RemoteHost } from '../hosts/types.js';

/**
 * Bash: `fact NAME COMMAND…` runs a command and prints its name, exit status and output (base64) as one line, and as
 * further lines with `more` where it is long, so that facts may be gathered side by side (`fact … &`): what goes to a pipe
 * in one piece of at most 4 KiB stays in one piece (PIPE_BUF, pipe(7)); longer ones are mixed with those of others.
 * `digest FILE` prints the SHA-256 of a file.
 */
const LIBRARY = `set +e +u
fact() {
  local kw_name=$1 kw_text kw_status=0 kw_word=fact kw_piece
  shift
  kw_text=$("$@" 2>/dev/null </dev/null) || kw_status=$?
  while read -r kw_piece || [ "$kw_word" = fact ]; do
    printf '%s %s %s %s\\n' "$kw_word" "$kw_name" "$kw_status" "$kw_piece"
    kw_word=more
  done < <(printf %s "$kw_text" | base64 -w 3000)
}
digest() { sha256sum <"$1" | cut -c 1-64; }
`;

/** What `digest FILE` prints when the file has this content. */
export function digestOf(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

interface Fact {
  status: number;
  base64: string;
}

/** What a script of `fact` calls found out about a host. */
export class Facts {
  readonly #facts = new Map<string, Fact>();

  constructor(stdout: string) {
    for (const line of stdout.split('\n')) {
      const [, word, name, status, base64 = ''] = /^(fact|more) (\S+) (\d+) ?(\S*)$/.exec(line) ?? [];
      if (name === undefined) continue;
      const before = word === 'more' ? this.#facts.get(name)?.base64 : undefined;
      this.#facts.set(name, { status: Number(status), base64: `${before ?? ''}${base64}` });
    }
  }

  /** Whether its command succeeded. */
  holds(name: string): boolean {
    return this.#facts.get(name)?.status === 0;
  }

  /** What its command printed, trimmed; empty when it was not asked. */
  text(name: string): string {
    return Buffer.from(this.#facts.get(name)?.base64 ?? '', 'base64')
      .toString('utf8')
      .trim();
  }
}

/** Asks a host for facts in one round trip. A command that fails, or is not there, is a fact too. */
export async function gatherFacts(host: RemoteHost, script: string, signal: AbortSignal): Promise<Facts> {
  const { stdout } = await host.run(`${LIBRARY}${script}\nwait\nexit 0\n`, { signal });
  return new Facts(stdout);
}
