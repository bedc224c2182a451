import { isKubewrightError } from '../../errors.js';
import { assign, bash } from '../../hosts/shell.js';
import { PROBE_KINDS, type ProbeKind } from '../../plan/drill-report.js';
import { lookUntil, notYet, seen } from '../../waiting.js';
import { requireControlPlane } from '../kubeadm/control-plane.js';
import type { StepContext } from '../types.js';
import { ASKING_UNIT, BOOK, type Book, DNS_LOGS, DNS_SEEN } from './book.js';
import { bookName } from './chosen.js';
import { isSteady } from './gaps.js';
import { deletePod } from './objects.js';
import type { Scene } from './scene.js';
import { LEAST_MS, STEADY } from './watchBreak.js';

/** What is not answered steadily so long after the part was put back is for a health check to name; its gap lasts until then. */
const STEADY_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 1_000;

/** What was seen stays in the book. Of the pod that is its log, which goes with the pod. */
const HUSH = bash`cd ${BOOK} && [ "$(cat name)" = "$name" ] || exit 0
systemctl stop ${ASKING_UNIT}.service 2>/dev/null
[ -e ${DNS_SEEN} ] || { cat ${DNS_LOGS} >${DNS_SEEN}.new 2>/dev/null; mv ${DNS_SEEN}.new ${DNS_SEEN}; }
`;

/**
 * Waits until each kind of question is answered steadily again behind the restore, for a minute at most. Nothing but the book is read
 * meanwhile: a check of the whole cluster would be measured as well.
 */
export async function awaitSteady({ signal, progress }: StepContext, scene: Scene): Promise<void> {
  const look = async () => {
    const kinds = unsteadyKinds(await scene.read('latest'));
    return kinds.length === 0 ? seen(true) : notYet(`waiting for steady answers: ${kinds.join(', ')}`);
  };
  await lookUntil(look, { patienceMs: STEADY_WITHIN_MS, everyMs: LOOK_EVERY_MS, signal, progress });
}

/** Bound by the book's clock, so a new worker does not begin anew. A host that was rebooted has no book any more. */
function unsteadyKinds(book: Book | undefined): ProbeKind[] {
  const restored = book?.marks.get('restored')?.at;
  if (book === undefined || restored === undefined || book.now - restored > STEADY_WITHIN_MS) return [];
  if (book.now - restored < LEAST_MS) return [...PROBE_KINDS];
  return PROBE_KINDS.filter((kind) => !isSteady(book.samples.get(kind) ?? [], STEADY, restored));
}

/**
 * Ends the questions, and keeps what was seen. Forty questions a second and a health check are work for a small cluster: together they
 * would keep it from getting well, and the check would be measured in place of the break.
 *
 * @throws KubewrightError KW2xx, KW464 (transient) where the host that asks, or all control planes, cannot be asked
 */
export async function hush(context: StepContext, { chosen }: Scene): Promise<void> {
  const { signal } = context;
  await context.hostNamed(chosen.prober).run(`${assign({ name: bookName(context) })}${HUSH}`, { signal });
  const via = await requireControlPlane(context);
  // An API that has just come back may refuse: then the pod asks on, and is deleted with all else at the end.
  await via.remote.run(deletePod(via.kubectl), { signal, timeoutMs: 60_000, allowFailure: true });
}

/** What is measured may be lost with the host that asks, and the cluster gets well all the same: what cannot be asked is left out. */
export async function ifReached({ signal }: StepContext, ask: () => Promise<void>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    signal.throwIfAborted();
    if (!isKubewrightError(error) || !error.transient) throw error;
  }
}
