import type { ClusterHost } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import { requireKnown } from '../answers.js';
import type { StepContext } from '../types.js';
import { type Book, type Mark, mark, readBook } from './book.js';
import { bookName, type Chosen } from './chosen.js';

/** A scenario under way, as its steps see it. */
export interface Scene {
  chosen: Chosen;
  victim: ClusterHost;
  /** Notes in the book that something was done or seen. */
  note(what: Mark, count?: number): Promise<void>;
  /** @returns undefined where the host that asks has no book of this scenario any more: it was rebooted, or nobody asks */
  read(what: 'latest' | 'all'): Promise<Book | undefined>;
}

export function sceneOf(context: StepContext, chosen: Chosen): Scene {
  const { cluster, signal } = context;
  const name = bookName(context);
  const victim = cluster.hosts.find((host) => host.name === chosen.victim);
  // It was chosen from these hosts, so this is a programming error.
  if (victim === undefined) throw new Error(`no host ${chosen.victim}`);
  return {
    chosen,
    victim,
    note: (what, count) =>
      mark(context.hostNamed(chosen.prober), name, { what, signal, ...(count === undefined ? {} : { count }) }),
    async read(what) {
      const reading = await readBook(context.hostNamed(chosen.prober), name, what, signal);
      const known = requireKnown(reading, 'what was seen', chosen.prober);
      return known.is === 'yes' ? known.value.book : undefined;
    },
  };
}

/** Nothing can be measured without it, so nothing is broken either. */
export function requireBook(book: Book | undefined, prober: string): Book {
  if (book !== undefined) return book;
  throw new KubewrightError('KW676', `${prober} does not ask any more: it was rebooted, or somebody ended it`, {
    host: prober,
    hint: 'What was broken is put back. Start the drill anew.',
  });
}
