import type { Cluster } from '../cluster/types.js';
import { planCheck } from './check.js';
import { planDrill } from './drill.js';
import { planInstall } from './install.js';
import { planReset } from './reset.js';
import { planRotateEncryptionKey } from './rotate-encryption-key.js';
import type { Step } from './types.js';

/**
 * What can be done with a cluster. Each is a workflow type of its own, with one engine behind all of them. Those that change a cluster have
 * the names of their commands: hints say so.
 */
export const OPERATION_NAMES = ['install', 'check', 'rotate-encryption-key', 'reset', 'drill'] as const;

/** Name of an operation. */
export type Operation = (typeof OPERATION_NAMES)[number];

/** What sets one operation apart from another. */
export interface OperationKind {
  /** Type of its workflow, so that lists and histories read as what was done. */
  workflow: string;
  /**
   * Whether it changes the cluster. Those that do share the workflow id `cluster/NAME`, so one at a time runs; the others
   * have ids of their own, ask nobody, and end with a report.
   */
  mutating: boolean;
  /** Whether something else may be applied once it has ended well. */
  applies: boolean;
  /** How it is spoken of: "Install demo", "the install of demo", "installing", "installed". */
  words: { title: string; noun: string; doing: string; done: string };
  /** Its steps, in an order in which each stands behind what it needs. Pure: the same arguments give the same plan. */
  plan(wanted: Cluster): Step[];
}

/** Every operation. Adding one is adding it here, its plan, its workflow type and its command. */
export const OPERATIONS: Record<Operation, OperationKind> = {
  install: {
    workflow: 'installCluster',
    mutating: true,
    applies: true,
    words: { title: 'Install', noun: 'install', doing: 'installing', done: 'installed' },
    plan: planInstall,
  },
  check: {
    workflow: 'checkHealth',
    mutating: false,
    applies: false,
    words: { title: 'Check', noun: 'health check', doing: 'checking', done: 'checked' },
    plan: (cluster) => planCheck(cluster),
  },
  'rotate-encryption-key': {
    workflow: 'rotateEncryptionKey',
    mutating: true,
    applies: true,
    words: { title: 'Rotate the key of', noun: 'key rotation', doing: 'rotating the key', done: 'key rotated' },
    plan: planRotateEncryptionKey,
  },
  reset: {
    workflow: 'resetCluster',
    mutating: true,
    applies: true,
    words: { title: 'Reset', noun: 'reset', doing: 'resetting', done: 'reset' },
    plan: (wanted) => planReset(wanted),
  },
  drill: {
    workflow: 'drillCluster',
    mutating: true,
    applies: false,
    words: { title: 'Drill', noun: 'drill', doing: 'drilling', done: 'drilled' },
    plan: (cluster) => planDrill(cluster),
  },
};

/** The operation that a workflow type carries out; undefined for a type that is not ours. */
export function operationOf(workflowType: string): Operation | undefined {
  return OPERATION_NAMES.find((name) => OPERATIONS[name].workflow === workflowType);
}
