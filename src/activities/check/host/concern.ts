import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import type { HealthFinding } from '../../../plan/run.js';
import type { Sight } from '../../../plan/sight.js';
import type { Trends } from '../../../plan/trends.js';
import type { Facts } from '../../remote-facts.js';

/** The host that is looked at. */
export interface LookedAt {
  cluster: Cluster;
  host: ClusterHost;
  /** What checks before have seen of all hosts; missing where nothing is known. */
  before?: Trends;
}

/** What came back of one round trip. */
export interface Answers {
  facts: Facts;
  /** The worker's clock when the script was sent and when its answer was there; milliseconds since the epoch. */
  sentAt: number;
  answeredAt: number;
}

/** One thing that is wrong on the host, or could not be looked at there. */
export type Fault = Pick<HealthFinding, 'code' | 'evidence' | 'hint'>;

/** One kind of thing that a health check looks at on a host. Adding one is adding its file, and a line in `concerns.ts`. */
export interface Concern {
  /**
   * Bash: functions, and questions by `ask` or `fact` (see remote-facts). A question that can take long has a bound of its own
   * (`timeout 5`) and ends with `&`. Empty where it does not concern the host.
   */
  questions(at: LookedAt): string;
  /** What is wrong. Pure. What was not answered is a fault of its own (`couldNotLook`), never taken as fine. */
  judge(at: LookedAt, answers: Answers): Fault[];
  /** What was seen, for the report and for the next check. Pure. Empty where nothing was answered. */
  sees?(at: LookedAt, answers: Answers): Sight;
}

/** Seconds that one question may take on a host. */
export const QUESTION_SECONDS = 5;

/**
 * A question that was not answered.
 *
 * @param what was asked about, such as "its disks"
 */
export function couldNotLook(what: string, why: string): Fault {
  return {
    code: 'KW642',
    evidence: `${what} could not be looked at: ${why}`,
    hint: 'Nothing is known of what is named there. Run the command that it names on that host; the next check asks again.',
  };
}

/** At most so many items, and how many more there are. */
export function listed(items: readonly string[], most = 8, between = ', '): string {
  const more = items.length - most;
  const told = items.slice(0, most).join(between);
  return more > 0 ? `${told}${between}and ${more} more` : told;
}
