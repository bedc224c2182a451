import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import { describeValue } from '../describe.js';

/** A value and where it stands. */
export interface Spot {
  value: unknown;
  /** Offset of the value. */
  start: number;
  /** Offset of its key, for values of a map. */
  key?: number;
  /** Scalars as written, without quotes; '' for a key without a value. */
  source?: string;
  children?: Map<string | number, Spot>;
}

type Complain = (offset: number, code: string, message: string) => void;

/** A thousand hosts take a fifth of this; aliases of aliases grow without bound. */
const MOST_VALUES = 100_000;
/** Aliases may nest values deeper than the text does, or without end. */
const DEEPEST = 64;

/**
 * Turns a parsed document into plain JSON values with their places. The library's own `toJS` keeps no places, stringifies
 * keys that are no strings, and says nothing about numbers that JSON cannot hold. Aliases and `<<` merges are followed.
 */
export function readTree(document: Document.Parsed, complain: Complain): Spot {
  return new TreeReader(complain).read(document.contents, 0, 0);
}

class TreeReader {
  private readonly anchors = new Map<string, Node>();
  private values = 0;

  constructor(private readonly complain: Complain) {}

  read(node: Node | null | undefined, fallback: number, depth: number): Spot {
    const start = node?.range?.[0] ?? fallback;
    const leaf: Spot = { value: null, start, source: '' };
    if (node == null || this.isTooMuch(start, depth)) return leaf;
    if (isAlias(node)) return this.readAlias(node.source, start, depth);
    if ('anchor' in node && typeof node.anchor === 'string') this.anchors.set(node.anchor, node);
    if (isMap(node)) return this.readMap(node, start, depth);
    if (isSeq(node)) return this.readList(node, start, depth);
    if (!isScalar(node)) return leaf;
    const source = node.source ?? String(node.value ?? '');
    return { value: this.checkScalar(node.value, source, start), start, source };
  }

  private readMap(map: YAMLMap, start: number, depth: number): Spot {
    const children = new Map<string | number, Spot>();
    const merges: { node: Node | null; key: number }[] = [];
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      const key = pair.key?.range?.[0] ?? start;
      const name = this.readKey(pair.key, key);
      if (name === undefined) continue;
      if (name === '<<') {
        merges.push({ node: pair.value, key });
        continue;
      }
      const first = children.get(name);
      if (first !== undefined) {
        this.complain(key, 'duplicate-key', `the key ${describeValue(name)} stands twice in this map: remove one`);
        continue;
      }
      children.set(name, { ...this.read(pair.value, key, depth + 1), key });
    }
    for (const merge of merges) this.merge(children, merge.node, merge.key, depth);
    const value = Object.fromEntries([...children].map(([name, spot]) => [name, spot.value]));
    return { value, start, children };
  }

  /** `<<: *defaults`: keys of the map itself win over merged ones. */
  private merge(children: Map<string | number, Spot>, node: Node | null, key: number, depth: number): void {
    const merged = this.read(node, key, depth + 1);
    const sources = Array.isArray(merged.value) ? [...(merged.children?.values() ?? [])] : [merged];
    for (const source of sources) {
      if (source.children === undefined || Array.isArray(source.value)) {
        this.complain(key, 'yaml-merge', '"<<" takes a map, an alias of one, or a list of them');
        return;
      }
      for (const [name, spot] of source.children) if (!children.has(name)) children.set(name, spot);
    }
  }

  private readList(list: YAMLSeq, start: number, depth: number): Spot {
    const items = list.items.map((item) => this.read(item as Node, start, depth + 1));
    return { value: items.map((item) => item.value), start, children: new Map(items.entries()) };
  }

  private readAlias(anchor: string, start: number, depth: number): Spot {
    const target = this.anchors.get(anchor);
    if (target !== undefined) return this.read(target, start, depth + 1);
    this.complain(start, 'yaml-alias', `the alias *${anchor} has no anchor &${anchor} before it`);
    return { value: null, start, source: '' };
  }

  private readKey(node: Node | null, start: number): string | undefined {
    const name = isAlias(node) ? this.anchors.get(node.source) : node;
    if (!isScalar(name) || typeof name.value !== 'string') {
      const shown = isScalar(name) ? describeValue(name.value) : 'a list, a map or nothing';
      this.complain(start, 'key-not-text', `keys are texts, and this one is ${shown}: put it in quotes`);
      return undefined;
    }
    // They would reach into JavaScript's own objects wherever two maps are merged.
    if (['__proto__', 'constructor', 'prototype'].includes(name.value)) {
      this.complain(start, 'reserved-key', `the key ${name.value} is not allowed`);
      return undefined;
    }
    return name.value;
  }

  private checkScalar(value: unknown, source: string, start: number): unknown {
    if (typeof value !== 'number') return value;
    if (Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)) return value;
    // As it is written in the file: `.nan` and `.inf` have other names elsewhere.
    const shown = source.length > 40 ? `${source.slice(0, 40)}…` : source;
    this.complain(start, 'number-too-large', `JSON cannot hold the number ${shown} exactly: put it in quotes`);
    return 0;
  }

  private isTooMuch(start: number, depth: number): boolean {
    this.values += 1;
    if (this.values === MOST_VALUES) {
      this.complain(start, 'too-many-values', `the file, with its aliases, holds more than ${MOST_VALUES} values`);
    }
    if (depth > DEEPEST && this.values < MOST_VALUES) {
      this.complain(start, 'too-deep', 'aliases nest values deeper than 64 levels, or without end');
      this.values = MOST_VALUES;
    }
    return this.values >= MOST_VALUES;
  }
}
