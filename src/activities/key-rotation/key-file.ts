import { createHash } from 'node:crypto';
import { parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import { type Answer, unknown, yes } from '../answers.js';

/** Which key takes the place of which, by their names. */
export interface Rotation {
  from: string;
  to: string;
}

/** The file with the key of encryption at rest, as one control plane has it. */
export interface KeyFile {
  text: string;
  /** SHA-256 of the text; with 256 random bits in it, the digest tells nothing of them. */
  digest: string;
  /** Such as `secretbox`. */
  provider: string;
  /** What is encrypted, as the API names it. */
  resources: string[];
  /** Names of the keys: the first one writes, all of them read. */
  keys: string[];
  /** The rotation that is under way, as the file itself says: it travels with the file, and changes with it in one piece. */
  rotation?: Rotation;
}

/** How far a key has come on one control plane: it reads, it writes, it is alone. */
export type Stage = 'second' | 'first' | 'only';

/** Stands where the host puts a key that it makes. */
export const NEW_KEY = 'THE-NEW-KEY-OF-THIS-HOST';

const PROVIDERS = ['secretbox', 'aescbc', 'aesgcm'];
/** Resources that etcd has below their own name. Others do not, such as nodes. */
const RESOURCES = ['secrets', 'configmaps'];
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const MARK = /^# kubewright: (\S+) takes the place of (\S+)\n/m;

/**
 * Reads the file; pure. Unknown, with why, where its form is not one in which keys can be moved for certain. No part of the text
 * gets into that.
 */
export function parseKeyFile(text: string): Answer<KeyFile> {
  const [, to, from] = MARK.exec(text) ?? [];
  const rotation = to === undefined || from === undefined ? undefined : { from, to };
  const document = parseDocument(text, { prettyErrors: false });
  const [group, ...others] = document.errors.length > 0 ? [] : groupsIn(document.toJS());
  if (group === undefined) return unknown('it is no EncryptionConfiguration that can be read');
  if (others.length > 0) return unknown('it has several groups of resources');
  const { resources, providers } = group;
  const strange = resources.filter((name) => !RESOURCES.includes(name));
  if (resources.length === 0 || strange.length > 0) return unknown(`it encrypts ${strange.join(', ') || 'nothing'}`);
  const [provider = '', ...behind] = providers.map(([name]) => name);
  if (!PROVIDERS.includes(provider) || behind.some((name) => name !== 'identity'))
    return unknown(`its providers are ${[provider, ...behind].join(', ')}`);
  const keys = namesIn(providers[0]?.[1]);
  if (keys === undefined) return unknown('its keys have no names, or names of another form');
  const fitting = rotation === undefined ? keys.length === 1 : keys.length === 2 && holds(keys, rotation);
  if (!fitting) return unknown(`it has ${keys.length} keys, and no rotation of Kubewright's has left them so`);
  const digest = createHash('sha256').update(text).digest('hex');
  return yes({ text, digest, provider, resources, keys, ...(rotation === undefined ? {} : { rotation }) });
}

function holds(keys: string[], { from, to }: Rotation): boolean {
  return keys.includes(from) && keys.includes(to);
}

interface Group {
  resources: string[];
  providers: [name: string, settings: unknown][];
}

function groupsIn(content: unknown): Group[] {
  const { kind, resources } = fieldsOf(content);
  if (kind !== 'EncryptionConfiguration' || !Array.isArray(resources)) return [];
  return resources.map((each) => {
    const group = fieldsOf(each);
    const names = Array.isArray(group.resources) ? group.resources.map(String) : [];
    const providers = Array.isArray(group.providers) ? group.providers : [];
    return { resources: names, providers: providers.flatMap((provider) => Object.entries(fieldsOf(provider))) };
  });
}

function namesIn(settings: unknown): string[] | undefined {
  const { keys } = fieldsOf(settings);
  if (!Array.isArray(keys)) return undefined;
  const names = keys.map((key) => String(fieldsOf(key).name ?? ''));
  return names.every((name) => NAME.test(name)) && new Set(names).size === names.length ? names : undefined;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** Whether the file has brought a key so far; pure. */
export function hasCome({ keys, rotation }: KeyFile, { to }: Rotation, stage: Stage): boolean {
  if (stage === 'second') return keys.includes(to);
  if (stage === 'first') return keys[0] === to;
  return keys.length === 1 && keys[0] === to && rotation === undefined;
}

/** The file with a key behind its own, which the host is to put in place of `NEW_KEY`; pure. */
export function withSecondKey(file: KeyFile, rotation: Rotation): string {
  return edited(file, rotation, (keys, node) => {
    keys.items.splice(1, 0, node({ name: rotation.to, secret: NEW_KEY }));
  });
}

/** The file with its new key in front; pure. */
export function withFirstKey(file: KeyFile, rotation: Rotation): string {
  return edited(file, rotation, (keys) => {
    keys.items.sort((a, b) => Number(nameOf(b) === rotation.to) - Number(nameOf(a) === rotation.to));
  });
}

/** The file with the new key alone, and no word of the rotation; pure. */
export function withoutOldKey(file: KeyFile, { to }: Rotation): string {
  return edited(file, undefined, (keys) => {
    keys.items = keys.items.filter((key) => nameOf(key) === to);
  });
}

type Key = YAMLMap<unknown, unknown>;

function nameOf(key: Key): string {
  return String(key.get('name'));
}

function edited(
  { text, provider }: KeyFile,
  rotation: Rotation | undefined,
  edit: (keys: YAMLSeq<Key>, node: (value: object) => Key) => void,
): string {
  const document = parseDocument(text.replace(MARK, ''));
  const keys = document.getIn(['resources', 0, 'providers', 0, provider, 'keys']) as YAMLSeq<Key>;
  edit(keys, (value) => document.createNode(value) as unknown as Key);
  const mark = rotation === undefined ? '' : `# kubewright: ${rotation.to} takes the place of ${rotation.from}\n`;
  return `${mark}${document.toString({ lineWidth: 0, flowCollectionPadding: false })}`;
}
