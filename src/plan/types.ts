import { COMPONENT_ACTIONS } from '../components/registry/actions.js';

/** What a step does; also the name of its activity type, so that a history reads as a list of acts. */
export const ACTIONS = [
  'checkHost',
  'checkCluster',
  'compareApplied',
  'prepareSystem',
  'installPackages',
  'deliverFiles',
  'deliverEncryptionKey',
  'initControlPlane',
  'joinControlPlane',
  'joinWorker',
  'approveServingCertificate',
  'verifyNodes',
  'spreadDns',
  'verifyDns',
  'recordApplied',
  'releaseHosts',
  ...COMPONENT_ACTIONS,
  'checkKeyRotation',
  'addEncryptionKey',
  'promoteEncryptionKey',
  'rewriteSecrets',
  'removeEncryptionKey',
  'checkReset',
  'backUpCluster',
  'drainNode',
  'removeEtcdMember',
  'resetHost',
  'compareHost',
  'forgetHost',
  'removeNode',
  'uncordonNode',
  'recordReset',
  'checkHostHealth',
  'checkApiServer',
  'checkEndpoint',
  'checkEtcd',
  'checkNodes',
  'checkDns',
  'checkOutsideNames',
  'checkPodNetwork',
  'checkDrill',
  'startProbes',
  'breakPart',
  'watchBreak',
  'putBack',
  'awaitHealth',
  'reportDrill',
  'endProbes',
] as const;

/** What a step does. */
export type Action = (typeof ACTIONS)[number];

/** Phases of a plan, in the order in which they are shown. They order nothing: what a step needs does. */
export const PHASES = [
  'preflight',
  'backup',
  'leave',
  'reset',
  'prepare',
  'etcd',
  'load-balancer',
  'control-plane',
  'network',
  'workers',
  'verify',
  'drill',
  'record',
] as const;

/** Phase of a step. */
export type Phase = (typeof PHASES)[number];

/** One step of a plan. Its id is its activity id in Temporal. */
export interface Step {
  /** `<host>/<verb>`, such as `cp-2/join`; `cluster/<verb>` for what concerns all hosts. */
  id: string;
  phase: Phase;
  action: Action;
  /** Name of the host it acts on; for `cluster/…` steps the host from which it is carried out is chosen at run time: null. */
  host: string | null;
  /** What a person reads, such as "Join control plane cp-2". At most 200 bytes: it is the activity's summary. */
  title: string;
  /** Ids of the steps whose post-conditions it needs. */
  needs: string[];
  /** Longest time one attempt may take, in minutes. */
  timeoutMinutes: number;
  /** Whether a person may skip it. Skipping a step of a worker leaves that worker out: its other steps are skipped too. */
  skippable: boolean;
  /** What the action works with besides the cluster, such as a target version; small and plain. */
  with?: StepParameters;
  /**
   * What becomes of a failure that does not heal by itself. `park`, the default: the step waits for a person. `report`: it
   * ends as failed, what needs it goes on, and the result names it. For operations that look and ask nobody.
   */
  onFailure?: 'park' | 'report';
  /** Minutes of trouble that may heal by itself before a person is asked (or the failure is reported); default: the run's. */
  patienceMinutes?: number;
  /**
   * Cleanup: once a step that it needs has begun, it runs whatever becomes of that one, also after an abort or a
   * cancellation of the run.
   */
  always?: true;
  /** Steps of one lane wait for each other: at most so many are under way at once, blocked ones counted. */
  lane?: { name: string; limit: number };
  /**
   * Ids of steps that go first where both could run: they use the same thing, such as the worker's uplink, and more waits for
   * them. Unlike a need it holds nobody up for long: once a step of the run is blocked or has failed, nobody waits for it.
   */
  yieldsTo?: string[];
  /** Of a large plan: the group of hosts whose child workflow carries it out; missing: the root does. See `cut.ts`. */
  group?: string;
}

/** Parameters of a step, small and plain. */
export type StepParameters = Record<string, string | number | boolean | null | string[]>;
