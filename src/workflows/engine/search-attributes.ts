import { defineSearchAttributeKey, SearchAttributeType, type SearchAttributeUpdatePair } from '@temporalio/common';

/** Search attributes of every mutating workflow: they answer "which installs are stuck" in one list query. */
export const CLUSTER = defineSearchAttributeKey('KubewrightCluster', SearchAttributeType.KEYWORD);
export const OPERATION = defineSearchAttributeKey('KubewrightOperation', SearchAttributeType.KEYWORD);
export const STATE = defineSearchAttributeKey('KubewrightState', SearchAttributeType.KEYWORD);
export const PHASE = defineSearchAttributeKey('KubewrightPhase', SearchAttributeType.KEYWORD);
/** How many steps wait for a person; the list of their names has an end. */
export const BLOCKED = defineSearchAttributeKey('KubewrightBlocked', SearchAttributeType.INT);
export const BLOCKED_STEPS = defineSearchAttributeKey('KubewrightBlockedSteps', SearchAttributeType.KEYWORD_LIST);

/** What a health check came to, see `HEALTH_VERDICTS`. Written where the worker has found it registered. */
export const HEALTH = defineSearchAttributeKey('KubewrightHealth', SearchAttributeType.KEYWORD);

/** Name and type of each, as the server registers them. */
export const SEARCH_ATTRIBUTES = {
  KubewrightCluster: 'Keyword',
  KubewrightOperation: 'Keyword',
  KubewrightState: 'Keyword',
  KubewrightPhase: 'Keyword',
  KubewrightBlocked: 'Int',
  KubewrightBlockedSteps: 'KeywordList',
  KubewrightHealth: 'Keyword',
} as const;

export interface RunAttributes {
  state: string;
  phase: string;
  /** Steps that wait for a person: how many, and the names of as many as are known. */
  blocked: { count: number; names: string[] };
}

/**
 * Bytes of names in `KubewrightBlockedSteps`. A server takes 2 KiB as the value of one attribute
 * (frontend.searchAttributesSizeOfValueLimit) and terminates a workflow that writes more.
 */
const NAMES_LIMIT = 1_500;

/**
 * The pairs to upsert. An empty list removes the attribute, so that `KubewrightBlockedSteps IS NOT NULL` finds the
 * stuck. Where not all names fit, the last entry is `+N`.
 *
 * @param format of the run's plan: runs of 0.1.0 may go on in a namespace that does not know the newer attribute
 */
export function attributePairs(attributes: RunAttributes, format: number): SearchAttributeUpdatePair[] {
  const { state, phase, blocked } = attributes;
  return [
    { key: STATE, value: state },
    { key: PHASE, value: phase },
    ...(format < 2 ? [] : [{ key: BLOCKED, value: blocked.count }]),
    { key: BLOCKED_STEPS, value: blocked.count === 0 ? null : fitting(blocked) },
  ];
}

/** Whether a list of blocked steps, as written to the attribute, names not all of them. */
export function isCutShort(names: string[]): boolean {
  return names.at(-1)?.startsWith('+') === true;
}

function fitting({ count, names }: RunAttributes['blocked']): string[] {
  let size = 0;
  const shown = names.filter((name) => {
    // Quotes and a comma around each; names of hosts are ASCII.
    size += name.length + 3;
    return size <= NAMES_LIMIT;
  });
  return shown.length >= count ? shown : [...shown, `+${count - shown.length}`];
}
