import type { LeftOut } from '../../left-out.js';
import type { Values } from '../../values.js';
import { Inventory } from './inventory.js';

/** `[group]`, `[group:vars]`, `[group:children]`. */
const SECTION = /^\[([^:\]]+)(?::(\w+))?\]\s*(?:[#;].*)?$/;

/** What Kubernetes' files, and inventories in YAML, have at the beginning of a line. */
const YAML_KEY = /^(apiVersion|kind|all):/m;

/**
 * Whether a text has a section: what YAML never has at the beginning of a line, but a list in one line. Behind spaces it may be
 * the text of another file within a YAML, such as a cloud's configuration.
 */
export function looksLikeIni(text: string): boolean {
  if (YAML_KEY.test(text)) return false;
  return text.split(/\r?\n/).some((line) => SECTION.test(line.trimEnd()) && !line.includes(','));
}

/**
 * Reads an inventory in Ansible's form of INI. It is no plain INI, and a parser of that would misread it: a line below `[group]`
 * is a host and its variables, split as a shell splits words; a line below `[group:vars]` is one variable; below
 * `[group:children]` it is the name of a group. Never throws.
 */
export function readIni(text: string, leftOut: LeftOut): Inventory {
  const inventory = new Inventory();
  let [group, kind] = ['ungrouped', 'hosts'];
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const section = SECTION.exec(line);
    if (section !== null) {
      [group, kind] = [section[1]?.trim() ?? '', section[2] ?? 'hosts'];
      inventory.group(group);
    } else readLine(inventory, line, group, kind, leftOut);
  }
  return inventory;
}

function readLine(inventory: Inventory, line: string, group: string, kind: string, leftOut: LeftOut): void {
  if (kind === 'vars') {
    const [key = '', ...value] = line.split('=');
    inventory.group(group).vars[key.trim()] = literal(value.join('=').trim());
    return;
  }
  const [name, ...words] = shellWords(line);
  if (name === undefined) return;
  if (kind === 'children') {
    inventory.group(name);
    inventory.group(group).children.add(name);
  } else if (name.includes('=') || words[0]?.startsWith('=')) {
    leftOut.add(
      `${variableName([name, ...words].join(' ')) ?? 'a line'} below [${group}]`,
      'a host comes first in a line, and its variables behind it',
    );
  } else {
    tellLoose(name, words, leftOut);
    inventory.addHosts(name, variables(words), group);
  }
}

/** Tells words behind a host that are no variables. Such a word may be a secret, so only what stands before a "=" is named. */
function tellLoose(host: string, words: string[], leftOut: LeftOut): void {
  const comment = words.findIndex((word) => word.startsWith(';'));
  const checked = comment < 0 ? words : words.slice(0, comment);
  const why = 'variables are NAME=VALUE, without spaces around "="';
  for (const [at, word] of checked.entries()) {
    const [before, next] = [checked[at - 1] ?? '', checked[at + 1] ?? ''];
    if (word.includes('=') || before === '=') continue;
    const name = next.startsWith('=') ? word : before.replace(/=$/, '');
    const isName = (next.startsWith('=') || before.endsWith('=')) && /^[A-Za-z_]\w*$/.test(name);
    leftOut.add(isName ? name : 'a word behind the host', why, host);
  }
}

/** `name` of `name = value`; undefined for what is none, such as the last line of an encoded secret. */
function variableName(text: string): string | undefined {
  return /^([A-Za-z_]\w*)\s*=\s*[^=\s]/.exec(text)?.[1];
}

function variables(words: string[]): Values {
  return Object.fromEntries(
    words.flatMap((word) => {
      const at = word.indexOf('=');
      return at > 0 ? [[word.slice(0, at), literal(word.slice(at + 1))]] : [];
    }),
  );
}

/** Values are literals of Python where they look like one: texts in quotes, lists and maps. */
function literal(value: string): unknown {
  if (/^(['"]).*\1$/.test(value) && value.length > 1) return value.slice(1, -1);
  if (!/^[[{].*[\]}]$/.test(value)) return value;
  try {
    return JSON.parse(value.includes('"') ? value : value.replaceAll("'", '"'));
  } catch {
    return value;
  }
}

/** Words as a shell splits them, up to a comment. A quote that is never closed ends with the line. */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    if (quote !== '') {
      if (char === quote) quote = '';
      else if (char === '\\' && quote === '"' && /["\\]/.test(line.charAt(at + 1))) word += line.charAt(++at);
      else word += char;
    } else if (char === '#') break;
    else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else word = `${word ?? ''}${char === '\\' ? line.charAt(++at) : char}`;
  }
  return word === undefined ? words : [...words, word];
}
