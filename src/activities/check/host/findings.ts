import { shown } from '../../../hosts/printable.js';
import type { HealthFinding } from '../../../plan/run.js';
import { type Fault, listed } from './concern.js';

/** Characters of one fault that are told. */
const EVIDENCE_LIMIT = 300;
/** Faults of one kind that are told; more would not fit into the evidence of one finding. */
const MOST = 3;

/**
 * The findings of one host: one for each code, so that a code and a host name a finding from one check to the next.
 *
 * @param faults in the order in which they are to be told
 */
export function together(host: string, faults: readonly Fault[]): HealthFinding[] {
  const codes = [...new Set(faults.map(({ code }) => code))];
  return codes.map((code) => {
    const same = faults.filter((fault) => fault.code === code);
    const told = same.map(({ evidence }) => shown(evidence, evidence.length).slice(0, EVIDENCE_LIMIT));
    const hints = [...new Set(same.map(({ hint }) => hint))];
    return { code, host, evidence: `${host}: ${listed(told, MOST, '; ')}`, hint: hints.join(' ') };
  });
}
