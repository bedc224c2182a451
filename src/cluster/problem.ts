import { KubewrightError } from '../errors.js';

/** One thing that is wrong, or doubtful, in a `cluster.yaml` or in a file that it names. */
export interface Problem {
  /** `error`: the file is refused. `warning`: it is taken, and the user is told. */
  severity: 'error' | 'warning';
  /** Stable name of the rule, such as `duplicate-address`. Tools may rely on it; wording may change. */
  code: string;
  /** The file as the user named it; a kubeadm patch has problems of its own. */
  file: string;
  /** From 1. */
  line: number;
  /** From 1, in UTF-16 code units, as editors count. */
  column: number;
  /** Such as `spec.hosts[2].address`; empty for the file as a whole. */
  path: string;
  /** What is wrong, as the rest of a sentence that begins with the path. */
  message: string;
  /** What stands there, short and without control characters; empty when there is nothing to show (or it is a secret). */
  found: string;
  /** What should stand there; empty when the message says it. */
  expected: string;
}

/** A `cluster.yaml` that cannot be used, with everything that is wrong with it. Code KW101. */
export class ClusterFileError extends KubewrightError {
  /** Errors and warnings, in the order of the file. At least one is an error. */
  readonly problems: Problem[];

  constructor(file: string, problems: Problem[]) {
    const errors = problems.filter((problem) => problem.severity === 'error').length;
    super('KW101', `${file} has ${errors === 1 ? 'one error' : `${errors} errors`}; nothing was changed`, {
      hint: 'Correct what is listed; `kubewright validate` checks again without touching any host.',
      output: problems.map(formatProblem).join('\n'),
    });
    this.problems = problems;
  }
}

/** True for a {@link ClusterFileError}, also across module realms. */
export function isClusterFileError(error: unknown): error is ClusterFileError {
  return error instanceof Error && 'problems' in error && 'code' in error && error.code === 'KW101';
}

/**
 * One line for people and for editors' problem matchers:
 * `cluster.yaml:12:16: spec.hosts[2].address: is not valid (found "10.0.0", expected an IPv4 address such as 10.88.0.11)`.
 */
export function formatProblem(problem: Problem): string {
  const { file, line, column, path, message, found, expected } = problem;
  const where = `${file}:${line}:${column}: ${problem.severity === 'warning' ? 'warning: ' : ''}`;
  const facts = [found && `found ${found}`, expected && `expected ${expected}`].filter(Boolean).join(', ');
  return `${where}${path === '' ? '' : `${path}: `}${message}${facts === '' ? '' : ` (${facts})`}`;
}

/** Problems of the file itself first, by line and column; then those of other files, by name. */
export function byPosition(file: string): (a: Problem, b: Problem) => number {
  const rank = (problem: Problem): string => (problem.file === file ? '' : problem.file);
  return (a, b) =>
    rank(a).localeCompare(rank(b)) ||
    a.line - b.line ||
    a.column - b.column ||
    a.path.localeCompare(b.path) ||
    a.code.localeCompare(b.code);
}
