import type { Facts } from '../../../../../activities/remote-facts.js';
import { digestOf } from '../../../../../activities/remote-facts.js';
import { quote } from '../../../../../hosts/shell.js';
import { loadedConfigPath } from '../../../../../render/loaded-config.js';
import {
  EVENTS_PATH,
  HOLDER_PATH,
  NOTIFIER_FILES,
  NOTIFIER_PATH,
  NOTIFIER_SERVICE,
  NOTIFIER_UNIT_PATH,
} from '../places.js';
import type { NotifierFile } from './files.js';

/** What a control plane has of the notifier, against what the file says. */
export interface NotifierState {
  /** Missing or different. */
  stale: NotifierFile[];
  /** Paths of files that are there and shall not be. */
  unwanted: string[];
  /** What it takes until it runs with these settings: one line, or none. */
  start: string[];
  /** Of its program, which has no secret in it; empty where there shall be none. */
  digest: string;
}

/** Bash that asks for what `notifierState` judges. */
export const NOTIFIER_FACTS = `fact notifier-active systemctl is-active ${NOTIFIER_SERVICE}
fact notifier-enabled systemctl is-enabled ${NOTIFIER_SERVICE}
fact notifier-loaded cat ${loadedConfigPath(NOTIFIER_SERVICE)}
${NOTIFIER_FILES.map((path) => `fact notifier:${path} digest ${quote(path)}`).join('\n')}
`;

/** @param files what shall be there; empty: nothing, and no service */
export function notifierState(facts: Facts, files: NotifierFile[]): NotifierState {
  const found = (path: string): string => facts.text(`notifier:${path}`);
  const program = files.find(({ path }) => path === NOTIFIER_PATH);
  const stale = files.filter(({ path, content }) => found(path) !== digestOf(content));
  const isOther = stale.some(({ path }) => path === NOTIFIER_UNIT_PATH);
  return {
    stale,
    unwanted: NOTIFIER_FILES.filter((path) => found(path) !== '' && !files.some((file) => file.path === path)),
    start: program === undefined ? [] : startOf(facts, program, isOther),
    digest: program === undefined ? '' : digestOf(program.content),
  };
}

function startOf(facts: Facts, { content }: NotifierFile, hasOtherUnit: boolean): string[] {
  const runs = facts.text('notifier-active') === 'active' && facts.text('notifier-enabled') === 'enabled';
  const loaded = facts.text('notifier-loaded').slice(0, 64) === digestOf(content);
  return runs && loaded && !hasOtherUnit ? [] : [`start ${NOTIFIER_SERVICE}`];
}

/** What is to be done, one line each. */
export function notifierChanges({ stale, unwanted, start }: NotifierState): string[] {
  return [...stale.map(({ path }) => `write ${path}`), ...unwanted.map((path) => `remove ${path}`), ...start];
}

/**
 * Bash that takes away what is unwanted, behind the reload after which keepalived writes there no more. A notifier whose pipe went
 * with that ends and is to be started again, and would stay in the list of failed units when it is stopped in that moment.
 */
export function removalScript({ unwanted }: NotifierState): string {
  if (unwanted.length === 0) return '';
  if (!unwanted.includes(NOTIFIER_UNIT_PATH)) return `rm -f ${unwanted.join(' ')}\n`;
  return `systemctl disable --quiet --now ${NOTIFIER_SERVICE} || :
rm -f ${[...unwanted, EVENTS_PATH, HOLDER_PATH].join(' ')}
systemctl daemon-reload
systemctl reset-failed ${NOTIFIER_SERVICE} 2>/dev/null || :
`;
}
