import type { z } from 'zod';
import { describePath, describeValue } from '../describe.js';
import { type Path, valueAt } from '../path.js';
import type { Report } from '../report.js';
import { type ClusterDraft, INVALID } from '../resolve/draft.js';
import { clusterFile } from './file.js';
import { closest, keysAt, placesOf } from './suggest.js';

type Issue = z.core.$ZodIssue;

const SUDO_PASSWORD = /^(ansible_?)?(ssh_?|sudo_?|become_?|login_?|root_?)*pass(word|wd|phrase)?$/i;
const SECRET = /pass(word|wd|phrase)|secret|token/i;

/**
 * Holds a document against the schema and reports everything that does not fit.
 * @returns the document with `INVALID` in place of each value that does not fit, and without unknown keys
 */
export function matchSchema(report: Report): ClusterDraft {
  const issues = correctKeys(report);
  if (issues.length === 0) return report.document.value as ClusterDraft;
  const draft = { root: structuredClone(report.document.value) };
  const seen = new Set<string>();
  for (const { issue, path } of issues) {
    const place = JSON.stringify(path);
    if (seen.has(place)) continue;
    seen.add(place);
    explain(issue, path, report);
    mark(draft, issue, path);
  }
  return draft.root as ClusterDraft;
}

/**
 * Reports unknown keys. One that is but misspelt is read as what was meant from then on: what stands below it is checked in
 * the same run, and "adress is not a key" needs no "address is missing" beside it.
 * @returns what else does not fit
 */
function correctKeys(report: Report): Placed[] {
  for (;;) {
    const issues = clusterFile.safeParse(report.document.value).error?.issues ?? [];
    const placed = issues.flatMap((issue) => flatten(issue, []));
    const unknown = placed.flatMap(unknownKeys);
    // Every round takes unknown keys away; those that it uncovers lie deeper.
    const corrected = unknown.filter((path) => correctKey(path, report));
    if (corrected.length === 0) return placed;
  }
}

function correctKey(path: Path, report: Report): boolean {
  const map = path.slice(0, -1);
  const meant = explainUnknownKey(path, keysAt(map), report);
  const isFree = meant !== undefined && !report.written([...map, meant]);
  return report.document.rename(path, isFree ? meant : undefined);
}

function unknownKeys({ issue, path }: Placed): Path[] {
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [];
}

interface Placed {
  issue: Issue;
  path: Path;
}

/** A union's issues are those of the form that was meant: the one whose outermost type fits. */
function flatten(issue: Issue, base: Path): Placed[] {
  const path = [...base, ...(issue.path as Path)];
  if (issue.code !== 'invalid_union') return [{ issue, path }];
  const meant = issue.errors.find((issues) => issues.every((inner) => inner.path.length > 0));
  return meant === undefined ? [{ issue, path }] : meant.flatMap((inner) => flatten(inner, path));
}

function explain(issue: Issue, path: Path, report: Report): void {
  if (issue.code === 'invalid_key') {
    report.error(path, 'bad-key', {
      message: 'is not a valid key',
      found: describeValue(path.at(-1)),
      expected: issue.issues[0]?.message ?? '',
      at: 'key',
    });
    return;
  }
  const value = valueAt(report.document.value, path);
  if (value === undefined) {
    report.error(path, 'missing', { message: 'is missing', expected: issue.message, found: '' });
    return;
  }
  const isSecret = String(path.at(-1)).endsWith('Env');
  report.error(path, value === null ? 'no-value' : 'bad-value', {
    message: value === null ? 'has no value' : isWrongType(issue) ? 'is of the wrong type' : 'is not valid',
    expected: `${issue.message}${bothRoles(path, value)}${suggestValue(issue, value)}${missingSpace(issue, value)}`,
    ...(isSecret ? { found: 'something else (not shown)' } : value === null ? { found: '' } : {}),
  });
}

function isWrongType(issue: Issue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_union';
}

/** `name:demo` is a text to YAML, where a map with the key `name` was meant. */
function missingSpace(issue: Issue, value: unknown): string {
  const wantsMap = issue.code === 'invalid_type' && ['object', 'record'].includes(issue.expected);
  return wantsMap && typeof value === 'string' && /^[\w-]+:\S/.test(value)
    ? '; a space is missing after the colon'
    : '';
}

/** `controller+worker` of k0sctl, `master,worker` of others: a control plane that runs everybody's pods. */
function bothRoles(path: Path, value: unknown): string {
  const both = typeof value === 'string' && /worker/i.test(value) && /control|master|server/i.test(value);
  return path.at(-1) === 'role' && both
    ? '; a control plane that runs pods like a worker has taints: [] beside it'
    : '';
}

function suggestValue(issue: Issue, value: unknown): string {
  if (issue.code !== 'invalid_value' || typeof value !== 'string') return '';
  const suggestion = closest(value, issue.values.map(String));
  return suggestion === undefined || issue.values.length === 1 ? '' : `; did you mean ${suggestion}?`;
}

/** @returns the key that was probably meant */
function explainUnknownKey(path: Path, known: string[], report: Report): string | undefined {
  const key = String(path.at(-1));
  const isPassword = SUDO_PASSWORD.test(key);
  const meant = isPassword ? undefined : closest(key, known);
  const isHelped = meant !== undefined || isPassword;
  report.error(path, 'unknown-key', {
    message: `is not a key${meant === undefined ? insteadOf(path, isPassword) : `: did you mean ${meant}?`}`,
    // Never the value: it may be a password.
    found: '',
    expected: isHelped || known.length === 0 ? '' : `one of ${known.join(', ')}`,
    at: 'key',
  });
  return meant;
}

function insteadOf(path: Path, isPassword: boolean): string {
  if (isPassword) {
    return ": secrets never stand in this file, and hosts are logged in to with a key, never with a password; a password for sudo goes into the worker's environment, and the variable's name into ssh.sudoPasswordEnv";
  }
  const key = String(path.at(-1));
  const here = describePath(path).replace(/\[\d+\]/g, '[]');
  const places = placesOf(key)
    .sort((a, b) => sharedKeys(b, here) - sharedKeys(a, here) || depth(a) - depth(b))
    .slice(0, 3);
  if (places.length > 0) return ` here: it belongs to ${places.join(' or ')}`;
  return SECRET.test(key) ? ', and secrets never stand in this file' : '';
}

/** How many keys two places have in common from the beginning: the nearest place is the likeliest. */
function sharedKeys(a: string, b: string): number {
  const [one, other] = [a.split('.'), b.split('.')];
  const differs = one.findIndex((key, index) => key !== other[index]);
  return differs === -1 ? one.length : differs;
}

/** Of several that are as near, what is seldom wanted stands deepest. */
function depth(place: string): number {
  return place.split('.').length;
}

function mark(draft: { root: unknown }, issue: Issue, path: Path): void {
  const parent = valueAt(draft.root, path.slice(0, -1)) as Record<string | number, unknown> | null | undefined;
  const last = path.at(-1);
  if (path.length === 0) {
    draft.root = INVALID;
    return;
  }
  if (typeof parent !== 'object' || parent === null || last === undefined) return;
  if (issue.code === 'invalid_key') delete parent[last];
  // A key that is missing must not be taken for its default.
  else parent[last] = INVALID;
}
