import { type ParseOptions, parseCluster } from '../../../src/cluster/load.js';
import { isClusterFileError, type Problem } from '../../../src/cluster/problem.js';
import type { Cluster } from '../../../src/cluster/types.js';

/** A plain stacked cluster, one key a line: the tests below count its lines. */
export const BASE = `apiVersion: kubewright.dev/v1alpha1
kind: Cluster
metadata:
  name: demo
spec:
  endpoint:
    vip: 10.88.0.100
  hosts:
    - name: cp-1
      address: 10.88.0.11
      role: control-plane
    - name: cp-2
      address: 10.88.0.12
      role: control-plane
    - name: cp-3
      address: 10.88.0.13
      role: control-plane
    - name: w-1
      address: 10.88.0.21
      role: worker
`;

/** Where a text of a test is said to stand. */
export const OPTIONS: ParseOptions = { path: 'cluster.yaml', directory: '/home/ada/site' };

export function parse(text: string): Cluster {
  return parseCluster(text, OPTIONS).cluster;
}

/** Every problem of a text, warnings of one that is taken included. Any other error than the promised one is thrown. */
export function problemsOf(text: string, options = OPTIONS): Problem[] {
  try {
    return parseCluster(text, options).warnings;
  } catch (error) {
    if (isClusterFileError(error)) return error.problems;
    throw error;
  }
}

/** `12:16 bad-value spec.hosts[1].address`, and `!` before what is only a warning. */
export function brief(problem: Problem): string {
  const { severity, line, column, code, path } = problem;
  return `${severity === 'warning' ? '! ' : ''}${line}:${column} ${code} ${path}`.trimEnd();
}

/** The base with texts replaced; each must be there exactly once, or the test would test something else. */
export function edited(...edits: [from: string, to: string][]): string {
  return edits.reduce((text, [from, to]) => {
    if (text.split(from).length !== 2) throw new Error(`"${from}" does not stand in the base exactly once`);
    return text.replace(from, () => to);
  }, BASE);
}
