import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { runChecks } from './checks/index.js';
import { checkSupport } from './checks/version.js';
import { type Fetched, fetchAddresses, textReader } from './documents.js';
import { readPatches, systemReason } from './patches.js';
import { valueAt } from './path.js';
import { type Places, placesOf } from './places.js';
import { byPosition, ClusterFileError, type Problem } from './problem.js';
import { Report } from './report.js';
import { resolveCluster } from './resolve/cluster.js';
import { type ClusterDraft, inner, pick } from './resolve/draft.js';
import { matchSchema } from './schema/explain.js';
import { reportOtherTool } from './schema/other-tools.js';
import type { Cluster, KubeadmPatch } from './types.js';
import { parseYaml } from './yaml/document.js';
import { decodeText, LARGEST_FILE, normaliseText } from './yaml/text.js';

/** What a `cluster.yaml` says, checked and with its defaults. */
export interface LoadedCluster {
  cluster: Cluster;
  /** What is taken, but may surprise; in the order of the file. */
  warnings: Problem[];
  /** Where its keys stand in the file. `{ ...cluster, places }` makes later messages name lines. */
  places: Places;
}

/** Where the text comes from: for messages, and for the files that it names. */
export interface ParseOptions {
  /** Name of the file in messages. */
  path: string;
  /** Relative paths in the file start here. */
  directory: string;
  /** What https addresses in the file have answered. Left out: the file may name none. */
  fetched?: Fetched;
  /** `YYYY-MM-DD` in UTC, for warnings that depend on the day. Left out: there are none. */
  today?: string;
}

/**
 * What a worker keeps in memory of a cluster, several times over. Some seven thousand hosts; what Temporal takes of it is
 * measured when its plan is known.
 */
const LARGEST_CLUSTER = 4 * 1024 * 1024;

const MOST_PROBLEMS = 500;

/**
 * Reads and checks a `cluster.yaml`. Touches nothing but the file, and the patches, manifests and https addresses that it
 * names.
 * @throws ClusterFileError KW101 with every problem at its line and column; nothing else, whatever the file holds
 */
export async function loadCluster(path: string, day: Pick<ParseOptions, 'today'> = {}): Promise<LoadedCluster> {
  return decodeCluster(await readFileBounded(path), { path, directory: dirname(resolve(path)), ...day });
}

/**
 * The same for what a stream holds, such as standard input.
 * @throws ClusterFileError KW101 with every problem at its line and column
 */
export async function loadClusterFrom(stream: NodeJS.ReadableStream, options: ParseOptions): Promise<LoadedCluster> {
  const bytes = await bounded(stream).catch((error: unknown) => {
    throw unreadable(options.path, error);
  });
  return decodeCluster(bytes, options);
}

async function decodeCluster(bytes: Uint8Array, options: ParseOptions): Promise<LoadedCluster> {
  const decoded = decodeText(bytes, options.path);
  if ('problem' in decoded) throw new ClusterFileError(options.path, [decoded.problem]);
  const fetched = await fetchAddresses(addressesIn(decoded.text));
  return parseCluster(decoded.text, { ...options, fetched });
}

/** Addresses of texts that the file names, as far as it can be read. */
function addressesIn(text: string): string[] {
  if (!text.includes('https://')) return [];
  const value = parseYaml(text, '').document?.value;
  const manifests = valueAt(value, ['spec', 'network', 'manifests']);
  const key = valueAt(value, ['spec', 'packages', 'repository', 'key']);
  return [...(Array.isArray(manifests) ? manifests : []), key]
    .map((entry) => (typeof entry === 'string' ? entry : valueAt(entry, ['from'])))
    .filter((entry) => typeof entry === 'string');
}

/**
 * Checks the text of a `cluster.yaml` and fills in every default.
 * @throws ClusterFileError KW101 with every problem at its line and column
 */
export function parseCluster(
  text: string,
  { path, directory, today, fetched = new Map() }: ParseOptions,
): LoadedCluster {
  const normal = normaliseText(text, path);
  if ('problem' in normal) throw new ClusterFileError(path, [normal.problem]);
  const { document, problems } = parseYaml(normal.text, path);
  if (document === undefined) throw new ClusterFileError(path, problems.sort(byPosition(path)));

  const report = new Report(path, document);
  report.problems.push(...problems);
  reportOtherTool(report);
  const draft = matchSchema(report);
  const sketch = resolveCluster(draft, {
    directory,
    patches: patchesOf(draft, directory, report),
    read: textReader(directory, fetched, report),
    warn: (place, code, finding) => report.warn(place, code, finding),
  });
  runChecks(sketch, report);
  if (today !== undefined) checkSupport(sketch, report, today);
  if (JSON.stringify(sketch).length > LARGEST_CLUSTER) {
    report.error([], 'too-large', {
      message: 'the cluster is too large for one plan',
      expected: 'fewer hosts',
      found: '',
    });
  }
  const found = atMost(distinct(report.problems.sort(byPosition(path))), MOST_PROBLEMS);
  if (report.hasErrors) throw new ClusterFileError(path, found);
  // Without an error nothing in the sketch is missing: only what the schema refused is undefined.
  const cluster = sketch as Cluster;
  return { cluster, warnings: found, places: placesOf(document, cluster) };
}

/** A value that an alias repeats is wrong in one place, however many paths lead there. */
function distinct(problems: Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ file, line, column, code, message, path }) => {
    const key = [file, line, column, code, message, path.slice(path.lastIndexOf('.'))].join('\n');
    return !seen.has(key) && seen.add(key);
  });
}

/** A file that was never a `cluster.yaml` can be wrong in a hundred thousand places; nobody reads them. */
function atMost(problems: Problem[], limit: number): Problem[] {
  const [first, last] = [problems.slice(0, limit), problems[limit - 1]];
  if (problems.length <= limit || last === undefined) return problems;
  const message = `${problems.length - limit} more problems follow; correct these first`;
  return [...first, { ...last, severity: 'error', code: 'and-more', path: '', message, found: '', expected: '' }];
}

function patchesOf(draft: ClusterDraft, directory: string, report: Report): KubeadmPatch[] {
  const written = pick(inner(inner(draft, 'spec'), 'kubernetes'), 'patchesDirectory', undefined);
  return written === undefined ? [] : readPatches(written, directory, report);
}

async function readFileBounded(path: string): Promise<Buffer> {
  try {
    const file = await open(path, 'r');
    try {
      return await bounded(file.createReadStream({ end: LARGEST_FILE, autoClose: false }));
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Little more than is allowed: the file may be a device or a pipe without an end. */
async function bounded(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    length += bytes.length;
    if (length > LARGEST_FILE) break;
  }
  return Buffer.concat(chunks);
}

function unreadable(path: string, error: unknown): ClusterFileError {
  const place = { file: path, line: 1, column: 1, path: '', found: '', expected: '' };
  const message = `the file cannot be read: ${systemReason(error)}`;
  return new ClusterFileError(path, [{ severity: 'error', code: 'unreadable', ...place, message }]);
}
