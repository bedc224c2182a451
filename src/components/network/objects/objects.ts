import type { Problem } from '../../../cluster/problem.js';
import { parseYaml } from '../../../cluster/yaml/document.js';

/** Names an object of Kubernetes. */
export interface ObjectName {
  apiVersion: string;
  kind: string;
  /** Empty where the manifest names none: the object is of the whole cluster, or of the namespace `default`. */
  namespace: string;
  name: string;
}

/** One object of a manifest. */
export interface ManifestObject extends ObjectName {
  /** What it was read from, as cluster.yaml names it. */
  from: string;
  /** Line where its document begins, from 1. */
  line: number;
  value: Record<string, unknown>;
  /** YAML or JSON of this object alone: as it is written, for what reads it must not matter. */
  text: string;
}

/** What several objects, or a file of them, hold, and what is wrong with its form. */
export interface ParsedManifest {
  objects: ManifestObject[];
  problems: Problem[];
}

/**
 * Takes a manifest apart into its objects, as kubectl does: at lines that begin with `---`. A List is all of its items.
 * Never throws.
 */
export function parseManifest({ from, content }: { from: string; content: string }): ParsedManifest {
  const parsed = documentsOf(content).map(({ text, line }) => parseDocument(text, line, from));
  return { objects: parsed.flatMap((each) => each.objects), problems: parsed.flatMap((each) => each.problems) };
}

function documentsOf(content: string): { text: string; line: number }[] {
  const documents = [{ lines: [] as string[], line: 1 }];
  for (const [index, line] of content.split('\n').entries()) {
    if (/^---(\s|$)/.test(line)) documents.push({ lines: [], line: index + 2 });
    else documents.at(-1)?.lines.push(line);
  }
  return documents
    .map(({ lines, line }) => ({ text: lines.join('\n'), line }))
    .filter(({ text }) => text.split('\n').some((line) => /^\s*[^\s#]/.test(line)));
}

function parseDocument(text: string, line: number, from: string): ParsedManifest {
  // Lines are counted from the beginning of the file.
  const { document, problems } = parseYaml(`${'\n'.repeat(line - 1)}${text}`, from);
  const fault = (message: string, expected: string): ParsedManifest => {
    const place = { file: from, line, column: 1, path: '', found: '' };
    return {
      objects: [],
      problems: [...problems, { severity: 'error', code: 'manifest-document', ...place, message, expected }],
    };
  };
  if (document === undefined) return { objects: [], problems };
  const { value } = document;
  if (!isMap(value)) return fault('a document is no object of Kubernetes', 'a map with apiVersion, kind and metadata');
  const { apiVersion, kind } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    return fault('a document has no apiVersion or no kind', 'an object of Kubernetes');
  }
  const items = kind.endsWith('List') && Array.isArray(value.items) ? value.items : undefined;
  const objects = (items ?? [value]).map((item) => objectOf(item, { from, line, text: items ? undefined : text }));
  const named = objects.filter((each) => each !== undefined);
  if (named.length < objects.length)
    return fault(`${kind} has no metadata.name`, 'a name of its own, not generateName');
  return { objects: named, problems };
}

function objectOf(
  value: unknown,
  { from, line, text }: { from: string; line: number; text: string | undefined },
): ManifestObject | undefined {
  if (!isMap(value) || !isMap(value.metadata)) return undefined;
  const { apiVersion, kind, metadata } = value;
  const { name, namespace } = metadata;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof name !== 'string') return undefined;
  const own = { apiVersion, kind, name, namespace: typeof namespace === 'string' ? namespace : '' };
  return { ...own, from, line, value, text: text ?? JSON.stringify(value) };
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value below a chain of keys and indices; undefined where there is none. */
export function valueBelow(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown> | undefined)?.[key], value);
}

/** Two objects of one name are one and the same, whatever version of the API they are written in. */
export function keyOf({ apiVersion, kind, namespace, name }: ObjectName): string {
  return `${typeOf({ apiVersion, kind })}/${namespace}/${name}`;
}

/** As kubectl takes and prints types: `daemonset.apps`, `serviceaccount`. */
export function typeOf({ apiVersion, kind }: Pick<ObjectName, 'apiVersion' | 'kind'>): string {
  const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : '';
  return `${kind.toLowerCase()}${group}`;
}

/** For people: `DaemonSet kube-flannel/kube-flannel-ds`. */
export function shownObject({ kind, namespace, name }: ObjectName): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}

/** Names of all images that the objects run, each once. What an operator starts by itself is not among them. */
export function imagesOf(objects: readonly ManifestObject[]): string[] {
  const images = objects.flatMap(({ value }) => podSpecs(value).flatMap(imagesOfPod));
  return [...new Set(images)].sort();
}

/** Where a Pod, a CronJob and everything else keeps its pod. */
function podSpecs(value: Record<string, unknown>): Record<string, unknown>[] {
  const own = value.kind === 'Pod' ? value.spec : undefined;
  const paths = [
    ['spec', 'template', 'spec'],
    ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  ];
  return [own, ...paths.map((path) => valueBelow(value, ...path))].filter(isMap);
}

function imagesOfPod(pod: Record<string, unknown>): string[] {
  return containersOf(pod).flatMap(({ image }) => (typeof image === 'string' ? [fullName(image)] : []));
}

/** Containers of a pod, those that go first included. */
export function containersOf(pod: Record<string, unknown>): Record<string, unknown>[] {
  return ['initContainers', 'containers'].flatMap((key) => (Array.isArray(pod[key]) ? pod[key].filter(isMap) : []));
}

/** Its containers, whatever the object wraps them into. */
export function containersIn(value: Record<string, unknown>): Record<string, unknown>[] {
  return podSpecs(value).flatMap(containersOf);
}

/** As bundles and containerd write it: with its registry, and a tag where there is no digest. */
function fullName(image: string): string {
  const [first = ''] = image.split('/');
  const hasRegistry = image.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  const named = hasRegistry ? image : `docker.io/${image.includes('/') ? '' : 'library/'}${image}`;
  return /@|:[^/]*$/.test(named) ? named : `${named}:latest`;
}
