import { defineSearchAttributeKey, SearchAttributeType, type SearchAttributeUpdatePair } from '@temporalio/common';

/** Search attributes of every mutating workflow: they answer "which installs are stuck" in one list query. */
export const CLUSTER = defineSearchAttributeKey('KubewrightCluster', SearchAttributeType.KEYWORD);
export const OPERATION = defineSearchAttributeKey('KubewrightOperation', SearchAttributeType.KEYWORD);
export const STATE = defineSearchAttributeKey('KubewrightState', SearchAttributeType.KEYWORD);
export const PHASE = defineSearchAttributeKey('KubewrightPhase', SearchAttributeType.KEYWORD);
export const BLOCKED_STEPS = defineSearchAttributeKey('KubewrightBlockedSteps', SearchAttributeType.KEYWORD_LIST);

/** Name and type of each, as the server registers them. */
export const SEARCH_ATTRIBUTES = {
  KubewrightCluster: 'Keyword',
  KubewrightOperation: 'Keyword',
  KubewrightState: 'Keyword',
  KubewrightPhase: 'Keyword',
  KubewrightBlockedSteps: 'KeywordList',
} as const;

export interface InstallAttributes {
  state: string;
  phase: string;
  blocked: string[];
}

/**
 * The pairs to upsert. An empty list removes the attribute, so that `KubewrightBlockedSteps IS NOT NULL` finds the
 * stuck.
 */
export function attributePairs(attributes: InstallAttributes): SearchAttributeUpdatePair[] {
  return [
    { key: STATE, value: attributes.state },
    { key: PHASE, value: attributes.phase },
    { key: BLOCKED_STEPS, value: attributes.blocked.length === 0 ? null : attributes.blocked },
  ];
}
