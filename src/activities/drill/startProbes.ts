import { type ClusterHost, hostsOf } from '../../cluster/types.js';
import { isKubewrightError, KubewrightError } from '../../errors.js';
import { registerSecret } from '../../hosts/redact.js';
import type { Scenario } from '../../plan/drill-report.js';
import { onEachHost } from '../each-host.js';
import { requireControlPlane } from '../kubeadm/control-plane.js';
import type { Probe, StepContext, StepImplementation } from '../types.js';
import { checkImageFor } from '../verify/dns-from-pods.js';
import { askProgram, startAsking } from './ask-program.js';
import { type Book, readBook } from './book.js';
import { chooseProber, chooseVictim, endpointHolder, possibleProbers } from './choose.js';
import { bookName, type Chosen, scenarioOf } from './chosen.js';
import { unsteadyKinds } from './gaps.js';
import { drillObjects, makeObjects } from './objects.js';

/** Answers in a row before anything is broken: what a cluster shows when nothing is wrong is measured, too. */
const STEADY = 30;
/** The pod has to start. */
const SETTLES_MS = 90_000;
/** A scenario takes less; so long it asks when nobody ends it. */
const LIMIT_SECONDS = 60 * 60;

/**
 * Chooses who is struck and who asks, and has that host ask ten times a second: the API at its endpoint, and DNS from a pod there. It
 * asks by itself, whatever becomes of the worker. Where the scenario before has not ended well, this one is left out.
 */
export const startProbes: StepImplementation = {
  settlesMs: SETTLES_MS,

  async probe(context) {
    const left = whyLeftOut(context);
    if (left !== undefined) return { done: true, found: left, changes: [], data: { left } };
    const found = await findBook(context);
    if (found === undefined)
      return { done: false, found: 'nobody asks yet', changes: ['choose who is struck, and begin to ask'] };
    const { book, asking, chosen } = found;
    const silent = unsteadyKinds(book.samples, STEADY, 0);
    if (!asking || silent.length > 0) {
      const what = asking ? `no steady answers yet: ${silent.join(', ')}` : 'nobody asks any more';
      return { done: false, found: `${chosen.prober}: ${what}`, changes: ['begin to ask'] };
    }
    return answered(chosen);
  },

  /** @throws KubewrightError KW677 (transient) while it cannot be told whom to strike; KW676 where nobody can ask */
  async apply(context) {
    const scenario = scenarioOf(context);
    const { cluster, signal } = context;
    const { victim, prober } = await choose(context, scenario);
    const except = hostsOf(cluster, 'control-plane').find(({ name }) => name === victim.name);
    const via = await requireControlPlane(context, except);
    const image = await checkImageFor(context, { host: prober, remote: context.hostNamed(prober.name) });
    context.progress(`${prober.name} is to ask while ${victim.name} is struck`);
    const made = await via.remote.run(makeObjects(via.kubectl), {
      input: drillObjects(cluster, prober.name, image),
      signal,
      timeoutMs: 90_000,
    });
    const token = made.stdout.trim();
    registerSecret(token);
    const chosen: Chosen = { scenario, victim: victim.name, prober: prober.name };
    const script = startAsking({
      program: askProgram(cluster),
      name: bookName(context),
      choice: JSON.stringify(chosen),
      limitSeconds: LIMIT_SECONDS,
    });
    await context.hostNamed(prober.name).run(script, { input: token, signal });
  },
};

/** As an earlier attempt has chosen; what was chosen is asked again before it is struck. */
async function choose(context: StepContext, scenario: Scenario): Promise<{ victim: ClusterHost; prober: ClusterHost }> {
  const { cluster } = context;
  const before = (await findBook(context))?.chosen;
  const named = (name: string | undefined) => cluster.hosts.find((host) => host.name === name);
  const [struck, asks] = [named(before?.victim), named(before?.prober)];
  if (struck !== undefined && asks !== undefined) return { victim: struck, prober: asks };
  const [victim, holder] = await Promise.all([chooseVictim(context, scenario), endpointHolder(context)]);
  const prober = chooseProber(cluster, scenario, { victim, holder });
  if (prober === undefined) throw nobodyAsks(victim.name);
  return { victim, prober };
}

function answered(chosen: Chosen): Probe {
  const { victim, prober } = chosen;
  return { done: true, found: `${prober} asks; ${victim} is to be struck`, changes: [], data: { victim, prober } };
}

/** The step before this scenario hands something on only where it has ended well. */
function whyLeftOut({ step, inputs }: StepContext): string | undefined {
  const before = String(step.with?.before);
  return inputs[before] === undefined ? `left out, for ${before} did not end well` : undefined;
}

interface FoundBook {
  book: Book;
  asking: boolean;
  chosen: Chosen;
}

/** An earlier attempt may have chosen before its worker died: it is asked for on every host that could ask. */
async function findBook(context: StepContext): Promise<FoundBook | undefined> {
  const name = bookName(context);
  const { cluster, signal } = context;
  const readings = await onEachHost(possibleProbers(cluster), async (host) => {
    const reading = await readBook(context.hostNamed(host.name), name, 'latest', signal).catch((error: unknown) => {
      if (!isKubewrightError(error) || !error.transient) throw error;
      return undefined;
    });
    return reading?.is === 'yes' ? reading.value : undefined;
  });
  for (const reading of readings) {
    if (reading?.book === undefined || reading.book.choice === '') continue;
    return { book: reading.book, asking: reading.asking, chosen: JSON.parse(reading.book.choice) as Chosen };
  }
  return undefined;
}

function nobodyAsks(victim: string): KubewrightError {
  return new KubewrightError('KW676', `there is no host that could ask from outside while ${victim} is struck`, {
    hint: 'A worker can, or a control plane that does not have the endpoint itself. Leave the scenario out with --only.',
  });
}
