import { hostsOf } from '../../../cluster/types.js';
import { isKubewrightError, KubewrightError, messageOf } from '../../../errors.js';
import { type Answer, no, refine, unknown, yes } from '../../answers.js';
import { ADMIN_KUBECONFIG, kubectl } from '../../kubeadm/control-plane.js';
import { gatherFacts } from '../../remote-facts.js';
import type { StepContext } from '../../types.js';
import {
  APPLIED_CONFIG_MAP,
  APPLIED_NAMESPACE,
  APPLIED_PATH,
  type AppliedSpec,
  parseApplied,
  type ReadCopy,
  textOfConfigMap,
} from './applied-spec.js';

/** What `readAppliedSpec` needs of a step's context; it serves outside of steps, too. */
export type Reader = Pick<StepContext, 'cluster' | 'hostNamed' | 'signal'>;

/**
 * How one copy stands beside the one that holds:
 * - `missing`: there is none
 * - `older`: what it says was applied earlier
 * - `edited`: it was changed by somebody, or cut short; what it says is not used
 * - `newer`: another version of Kubewright wrote it, in a way that this one does not know
 * - `unknown`: it could not be asked for
 */
export type CopyState = 'same' | 'missing' | 'older' | 'edited' | 'newer' | 'unknown';

export interface AppliedCopy {
  /** Name of the control plane that has it; null for the one in the cluster, a ConfigMap. */
  host: string | null;
  state: CopyState;
  /** `unknown`: why. */
  why?: string;
}

/** What the copies of the applied spec say together. */
export interface AppliedRecord {
  /**
   * - yes: this was applied last. Of copies that differ it is the one of the highest generation
   * - no: there is no record: there is no cluster, or 0.1.0 made it
   * - unknown: it could not be asked for, every copy was changed by somebody, or a newer version wrote it
   */
  answer: Answer<AppliedSpec>;
  /** One for the cluster, then one for each control plane of the file. */
  copies: AppliedCopy[];
  /** Version of Kubewright that wrote what this one does not understand. */
  newerBuild?: string;
}

/**
 * Asks the cluster and each of its control planes what was applied last. Changes nothing; a host that cannot be reached is
 * a finding.
 */
export async function readAppliedSpec(reader: Reader): Promise<AppliedRecord> {
  const controlPlanes = hostsOf(reader.cluster, 'control-plane');
  const asked = await Promise.all(controlPlanes.map(({ name }) => ask(reader, name)));
  const copies = asked.map(({ host, copy }) => ({ host, copy }));
  return judge([{ host: null, copy: throughAny(asked.map(({ configMap }) => configMap)) }, ...copies]);
}

interface Asked {
  host: string;
  copy: Answer<ReadCopy>;
  configMap: Answer<ReadCopy>;
}

async function ask({ cluster, hostNamed, signal }: Reader, name: string): Promise<Asked> {
  const host = cluster.hosts.find((one) => one.name === name);
  // The name comes from this very list.
  if (host === undefined) throw new Error(`no host ${name}`);
  const get = `${kubectl(cluster, host)} -n ${APPLIED_NAMESPACE} get configmap ${APPLIED_CONFIG_MAP} --ignore-not-found -o json`;
  const script = `ask recorded-copy content ${APPLIED_PATH}
ask initialised exists ${ADMIN_KUBECONFIG}
[ ! -e ${ADMIN_KUBECONFIG} ] || ask recorded-in-cluster ${get}`;
  try {
    const facts = await gatherFacts(hostNamed(name), script, signal);
    const copy = refine(facts.answer('recorded-copy', `${name} has no ${APPLIED_PATH}`), (text) =>
      yes(parseApplied(text)),
    );
    const begun = facts.answer('initialised', `no cluster is on ${name}`);
    const configMap = refine(begun, () =>
      refine(facts.answer('recorded-in-cluster', NO_CONFIG_MAP), (json) =>
        json === '' ? no(NO_CONFIG_MAP) : yes(parseApplied(textOfConfigMap(json))),
      ),
    );
    return { host: name, copy, configMap };
  } catch (error) {
    signal.throwIfAborted();
    if (!isKubewrightError(error)) throw error;
    const why = unknown(messageOf(error));
    return { host: name, copy: why, configMap: why };
  }
}

const NO_CONFIG_MAP = `the cluster has no ConfigMap ${APPLIED_CONFIG_MAP}`;

/**
 * One API: what one of its servers says counts. A control plane without a cluster says nothing of the one that others
 * have, so a no counts only when none is left that might know better.
 */
function throughAny(answers: Answer<ReadCopy>[]): Answer<ReadCopy> {
  const given = answers.filter((answer) => answer.is !== 'unknown');
  const missing = given.find((answer) => answer.is === 'no' && answer.evidence === NO_CONFIG_MAP);
  return (
    given.find(({ is }) => is === 'yes') ?? missing ?? answers.find(({ is }) => is === 'unknown') ?? given[0] ?? NONE
  );
}

/** For a cluster without a control plane, which the loader refuses. */
const NONE = no('there is no control plane');

interface Copy {
  host: string | null;
  copy: Answer<ReadCopy>;
}

/** What copies mean together. Of the same generation the first that is given counts: the cluster's own. */
export function judge(found: Copy[]): AppliedRecord {
  const valid = found.flatMap(({ copy }) => (copy.is === 'yes' && copy.value.is === 'valid' ? [copy.value] : []));
  const [best] = valid.sort((a, b) => b.spec.generation - a.spec.generation);
  const copies = found.map(({ host, copy }): AppliedCopy => {
    if (copy.is === 'unknown') return { host, state: 'unknown', why: copy.why.trim().split('\n').at(-1) ?? '' };
    if (copy.is === 'no') return { host, state: 'missing' };
    if (copy.value.is !== 'valid') return { host, state: copy.value.is };
    return { host, state: copy.value.checksum === best?.checksum ? 'same' : 'older' };
  });
  const newer = found.flatMap(({ copy }) =>
    copy.is === 'yes' && copy.value.is === 'newer' ? [copy.value.build] : [],
  )[0];
  if (newer !== undefined) {
    return {
      answer: unknown(`kubewright ${newer} wrote it, in a format that this version does not know`),
      copies,
      newerBuild: newer,
    };
  }
  return { answer: best === undefined ? withoutRecord(copies) : yes(best.spec), copies };
}

function withoutRecord(copies: AppliedCopy[]): Answer<AppliedSpec> {
  const notAsked = copies.find(({ state }) => state === 'unknown');
  if (notAsked !== undefined) return unknown(`${placeOf(notAsked)}: ${notAsked.why}`);
  const edited = copies.filter(({ state }) => state === 'edited');
  if (edited.length > 0) return unknown(`${edited.map(placeOf).join(' and ')} was changed by hand`);
  return no('neither the cluster nor a control plane has a record of it');
}

/** Where a copy is, for people. */
export function placeOf({ host }: Pick<AppliedCopy, 'host'>): string {
  return host === null ? `the ConfigMap ${APPLIED_CONFIG_MAP}` : `${APPLIED_PATH} on ${host}`;
}

/**
 * @returns KW592 where a newer version of Kubewright has applied something that this one cannot read: it must not go on
 * with a plan of its own
 */
export function newerRecord({ newerBuild, copies }: AppliedRecord): KubewrightError | undefined {
  if (newerBuild === undefined) return undefined;
  const places = copies.filter(({ state }) => state === 'newer').map(placeOf);
  return new KubewrightError(
    'KW592',
    `what was last applied to this cluster was applied by kubewright ${newerBuild}, whose record this version does not understand (${places.join(', ')})`,
    { hint: `Nothing was changed. Go on with kubewright ${newerBuild} or a later one.` },
  );
}
