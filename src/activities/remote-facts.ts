import { createHash } from 'node:crypto';
import type { RemoteHost } from '../hosts/types.js';

/**
 * Bash: `fact NAME COMMAND…` runs a command and prints its name, exit status and output (base64) as one line, so that
 * facts may be gathered side by side (`fact … &`): what goes to a pipe in one piece of at most 4 KiB stays in one piece.
 * `digest FILE` prints the SHA-256 of a file.
 */
const LIBRARY = `set +e +u
fact() {
  local kw_name=$1 kw_text kw_status=0
  shift
  kw_text=$("$@" 2>/dev/null </dev/null) || kw_status=$?
  printf 'fact %s %s %s\\n' "$kw_name" "$kw_status" "$(printf %s "$kw_text" | base64 -w 0)"
}
digest() { sha256sum <"$1" | cut -c 1-64; }
`;

/** What `digest FILE` prints when the file has this content. */
export function digestOf(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

interface Fact {
  status: number;
  text: string;
}

/** What a script of `fact` calls found out about a host. */
export class Facts {
  readonly #facts = new Map<string, Fact>();

  constructor(stdout: string) {
    for (const line of stdout.split('\n')) {
      const [, name, status, base64 = ''] = /^fact (\S+) (\d+) ?(\S*)$/.exec(line) ?? [];
      if (name === undefined) continue;
      this.#facts.set(name, { status: Number(status), text: Buffer.from(base64, 'base64').toString('utf8').trim() });
    }
  }

  /** Whether its command succeeded. */
  holds(name: string): boolean {
    return this.#facts.get(name)?.status === 0;
  }

  /** What its command printed, trimmed; empty when it was not asked. */
  text(name: string): string {
    return this.#facts.get(name)?.text ?? '';
  }
}

/** Asks a host for facts in one round trip. A command that fails, or is not there, is a fact too. */
export async function gatherFacts(host: RemoteHost, script: string, signal: AbortSignal): Promise<Facts> {
  const { stdout } = await host.run(`${LIBRARY}${script}\nwait\nexit 0\n`, { signal });
  return new Facts(stdout);
}
