import { describePath, describeValue } from './describe.js';
import type { Path } from './path.js';
import { valueAt } from './path.js';
import type { Problem } from './problem.js';
import type { YamlDocument } from './yaml/document.js';

export interface Finding {
  message: string;
  expected?: string;
  /** In place of a description of the value at the path; empty shows nothing. */
  found?: string;
  /** Point at the key instead of the value. */
  at?: 'key' | 'value';
}

/** Collects what is found wrong in one document, each at its line and column. */
export class Report {
  readonly problems: Problem[] = [];

  constructor(
    readonly file: string,
    readonly document: YamlDocument,
  ) {}

  error(path: Path, code: string, finding: Finding): void {
    this.add('error', path, code, finding);
  }

  warn(path: Path, code: string, finding: Finding): void {
    this.add('warning', path, code, finding);
  }

  /** Whether the user wrote this path, as against a default. */
  written(path: Path): boolean {
    return valueAt(this.document.value, path) !== undefined;
  }

  /** Line of a path, for messages that name a second place. */
  line(path: Path): number {
    return this.document.position(path, 'value').line;
  }

  get hasErrors(): boolean {
    return this.problems.some((problem) => problem.severity === 'error');
  }

  private add(severity: Problem['severity'], path: Path, code: string, finding: Finding): void {
    const position = this.document.position(path, finding.at ?? 'value');
    this.problems.push({
      severity,
      code,
      file: this.file,
      ...position,
      path: describePath(path),
      message: finding.message,
      found: finding.found ?? describeValue(valueAt(this.document.value, path)),
      expected: finding.expected ?? '',
    });
  }
}
