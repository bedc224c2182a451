import type { Failing } from './grouped.js';
import { type LabelSelector, selects } from './policies.js';
import { IDLE, POLICY, UNASKED, UNREACHED, WAYS_TO_FAIL, type WayToFail } from './script.js';

/** A pod that was not reached, and how. */
export interface Unreached extends Failing {
  how: WayToFail;
}

/** What the script has said. */
export interface Said {
  /** Nodes whose pods did not start, with what the kubelet gives as a reason; empty where it gives none. */
  idle: Map<string, string>;
  /** Nodes whose pods could not be asked, and why. */
  unasked: Map<string, string>;
  unreached: Unreached[];
  /** NetworkPolicies that take the pods. */
  policies: string[];
}

/** Reads what the script has printed. Lines that are none of its own are left out. Pure. */
export function readSaid(stdout: string, labels: Record<string, string>): Said {
  const said: Said = { idle: new Map(), unasked: new Map(), unreached: [], policies: [] };
  for (const line of stdout.split('\n')) {
    const [kind = '', first = '', ...rest] = line.split(' ');
    const why = rest.join(' ').trim();
    if (kind === IDLE) said.idle.set(first, why);
    else if (kind === UNASKED) said.unasked.set(first, why);
    else if (kind === UNREACHED) said.unreached.push({ from: first, to: rest[0] ?? '', how: wayOf(rest[1]) });
    else if (kind === POLICY && selects(selectorIn(why), labels)) said.policies.push(first);
  }
  return said;
}

/** What ended in a way that has no name is a connection that broke. */
function wayOf(word: string | undefined): WayToFail {
  return WAYS_TO_FAIL.find((way) => way === word) ?? 'broken';
}

/** kubectl prints an object as JSON, and an empty one as nothing or `{}`. */
function selectorIn(text: string): LabelSelector {
  try {
    return text === '' ? {} : (JSON.parse(text) as LabelSelector);
  } catch {
    // It takes pods in a way that nobody understands here: it may take these.
    return {};
  }
}
