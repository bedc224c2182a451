import { assign, bash } from '../../hosts/shell.js';
import { PROBE_KINDS, type ProbeKind } from '../../plan/drill-report.js';
import { lookUntil, notYet, seen } from '../../waiting.js';
import { requireControlPlane } from '../kubeadm/control-plane.js';
import type { StepContext } from '../types.js';
import { ASKING_UNIT, BOOK, type Book, DNS_LOGS, DNS_SEEN } from './book.js';
import { bookName } from './chosen.js';
import { unsteadyKinds } from './gaps.js';
import { deletePod } from './objects.js';
import type { Scene } from './scene.js';
import { LEAST_MS, STEADY } from './watchBreak.js';

/** What is not answered steadily so long after the part was put back is for a health check to name; its gap lasts until then. */
const STEADY_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 1_000;

/** Says `kept` when what the pod saw is in the book of this scenario: its log goes with the pod. */
const KEEP = bash`cd ${BOOK} && [ "$(cat name)" = "$name" ] || exit 0
systemctl stop ${ASKING_UNIT}.service 2>/dev/null
if [ -e ${DNS_SEEN} ] || { cat ${DNS_LOGS} >${DNS_SEEN}.new && mv ${DNS_SEEN}.new ${DNS_SEEN}; } 2>/dev/null; then echo kept; fi
`;

/**
 * Waits until each kind of question is answered steadily again behind the restore, for a minute at most. Nothing but the book is read
 * meanwhile: a check of the whole cluster would be measured as well.
 */
export async function awaitSteady({ signal, progress }: StepContext, scene: Scene): Promise<void> {
  const look = async () => {
    const kinds = stillUnsteady(await scene.read('latest'));
    return kinds.length === 0 ? seen(true) : notYet(`waiting for steady answers: ${kinds.join(', ')}`);
  };
  await lookUntil(look, { patienceMs: STEADY_WITHIN_MS, everyMs: LOOK_EVERY_MS, signal, progress });
}

/** Bound by the book's clock, so a new worker does not begin anew. A host that was rebooted has no book any more. */
function stillUnsteady(book: Book | undefined): ProbeKind[] {
  const restored = book?.marks.get('restored')?.at;
  if (book === undefined || restored === undefined || book.now - restored > STEADY_WITHIN_MS) return [];
  if (book.now - restored < LEAST_MS) return [...PROBE_KINDS];
  return unsteadyKinds(book.samples, STEADY, restored);
}

/**
 * Ends the questions, and keeps what was seen; a pod whose log could not be kept asks on. Forty questions a second and a health check are work for a small cluster: together they
 * would keep it from getting well, and the check would be measured in place of the break.
 *
 * @throws KubewrightError KW2xx, KW464 (transient) where the host that asks, or all control planes, cannot be asked
 */
export async function stopAsking(context: StepContext, { chosen }: Scene): Promise<void> {
  const { signal } = context;
  const script = `${assign({ name: bookName(context) })}${KEEP}`;
  const { stdout } = await context.hostNamed(chosen.prober).run(script, { signal });
  if (stdout.trim() !== 'kept') return;
  const via = await requireControlPlane(context);
  // An API that has just come back may refuse: then the pod asks on, and is deleted with all else at the end.
  await via.remote.run(deletePod(via.kubectl), { signal, timeoutMs: 60_000, allowFailure: true });
}
