import { Composer, type Document, isScalar, LineCounter, type ParsedNode, Parser } from 'yaml';
import type { Path } from '../path.js';
import type { Problem } from '../problem.js';
import { tooDeep } from './depth.js';
import { describeSyntaxError } from './syntax.js';
import { readTree, type Spot } from './tree.js';

/** YAML as plain JSON values, and the place in the text of each of them. */
export interface YamlDocument {
  value: unknown;
  /** Line and column of what stands at the path; of the nearest thing around it when nothing does. */
  position(path: Path, part: 'key' | 'value'): Place;
  /** A scalar as it is written, without quotes; undefined for maps, lists and what is not there. */
  source(path: Path): string | undefined;
  /**
   * From now on the key at the path goes by another name (or is gone), in the same place of the text.
   * @returns whether there was such a key
   */
  rename(path: Path, name: string | undefined): boolean;
}

export interface Place {
  line: number;
  column: number;
}

export interface ParsedYaml {
  /** Undefined when the syntax is broken: what would be read then is a guess. */
  document: YamlDocument | undefined;
  problems: Problem[];
}

/** More than these help nobody: a slip in one line makes the parser stumble over the next ones. */
const MOST_SYNTAX_ERRORS = 10;

/**
 * Parses one YAML 1.2 document. Never throws, whatever the text: nesting and the growth of aliases are bounded.
 * @param text what `normaliseText` returned
 */
export function parseYaml(text: string, file: string): ParsedYaml {
  const lines = new LineCounter();
  const locate = (offset: number): Place => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    // The counter answers 0 when it knows no line yet, as in an empty file.
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const problem = (offset: number, code: string, message: string, expected = ''): Problem => {
    return { severity: 'error', code, file, ...locate(offset), path: '', message, found: '', expected };
  };
  const refused = (...found: Problem[]): ParsedYaml => ({ document: undefined, problems: found });

  // The lexer and the concrete syntax are iterative; composing recurses, and V8 ends the process when that goes too deep.
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const deep = tooDeep(tokens);
  if (deep !== undefined)
    return refused(problem(deep, 'too-deep', 'values are nested too deeply', 'less than 64 levels'));

  const composer = new Composer<ParsedNode>({
    version: '1.2',
    schema: 'core',
    uniqueKeys: false,
    resolveKnownTags: false,
    merge: false,
  });
  const documents = [...composer.compose(tokens, true, text.length)].filter(isNotBlank);
  const [document, second] = documents;
  const errors = documents.flatMap((one) => [...one.errors, ...one.warnings]);
  if (errors.length > 0) {
    const found = errors.map((error) => problem(error.pos[0], 'yaml-syntax', describeSyntaxError(error, text)));
    return refused(...onePerLine(found).slice(0, MOST_SYNTAX_ERRORS));
  }
  if (document === undefined) {
    return refused(problem(0, 'empty', 'the file is empty', 'apiVersion, kind, metadata and spec'));
  }
  const problems: Problem[] = [];
  if (second !== undefined) {
    const start = second.contents?.range?.[0] ?? second.range[0];
    problems.push(problem(start, 'several-documents', 'a second document starts here', 'one cluster in a file'));
  }
  const root = readTree(document, (offset, code, message) => problems.push(problem(offset, code, message)));
  // What is not there for one of these reasons would be reported as missing.
  const isIncomplete = problems.some(({ code }) => ['too-deep', 'too-many-values', 'yaml-alias'].includes(code));
  return { document: isIncomplete ? undefined : view(root, locate), problems };
}

function isNotBlank(document: Document.Parsed): boolean {
  const { contents, errors } = document;
  return errors.length > 0 || (contents !== null && !(isScalar(contents) && contents.source === ''));
}

function onePerLine(problems: Problem[]): Problem[] {
  return problems.filter((problem, index) => problems.findIndex((other) => other.line === problem.line) === index);
}

function view(root: Spot, locate: (offset: number) => Place): YamlDocument {
  const find = (path: Path): { spot: Spot; complete: boolean } => {
    let spot = root;
    for (const part of path) {
      const child = spot.children?.get(part);
      if (child === undefined) return { spot, complete: false };
      spot = child;
    }
    return { spot, complete: true };
  };
  return {
    value: root.value,
    position(path, part) {
      const { spot, complete } = find(path);
      const hasNoValue = spot.value === null && spot.source === '';
      const atKey = !complete || part === 'key' || hasNoValue;
      return locate(atKey ? (spot.key ?? spot.start) : spot.start);
    },
    source(path) {
      const { spot, complete } = find(path);
      return complete ? spot.source : undefined;
    },
    rename(path, name) {
      const { spot, complete } = find(path.slice(0, -1));
      const old = path.at(-1);
      return complete && old !== undefined && renameKey(spot, String(old), name);
    },
  };
}

function renameKey(map: Spot, old: string, name: string | undefined): boolean {
  const child = map.children?.get(old);
  if (child === undefined) return false;
  const value = map.value as Record<string, unknown>;
  map.children?.delete(old);
  delete value[old];
  if (name === undefined) return true;
  map.children?.set(name, child);
  value[name] = child.value;
  return true;
}
