import ts from 'typescript';
import { type Declarations, moduleOf } from './declarations.js';

/** Chapters of the page, and what belongs to each: a name of its own, or the place of its module. The first that fits counts. */
const GROUPS: [title: string, members: RegExp, text?: string][] = [
  ['Files', /^src\/(cluster|components)\//],
  ['Plans and operations', /^src\/(plan\/|prepare-run)/],
  ['Temporal', /^(Engine|ConnectionSettings|src\/engine\/(connect|settings|embedded-server|state-directory|server\/))/],
  ['Workers', /^(RunWorkerOptions|src\/(run-worker|worker)|src\/engine\/(worker|processes))/],
  [
    'Health checks and schedules',
    /^(checkNow|latestReport|Health(Finding|Report)|CheckRequest|src\/engine\/(schedule|drill-|health-))/,
  ],
  ['Runs', /^src\/(engine\/(runs\/|types|cluster-status)|workflows\/)/],
  ['Hosts', /^src\/(on-hosts|kubeconfig|hosts\/|activities\/)/],
  ['Errors and version', /^src\/(errors|version|build)/],
  [
    'Objects of --json',
    /^src\/(terminal\/json|artifacts)\//,
    'Types of what `--json` prints; [json.md](json.md) describes each object.',
  ],
];

/** Objects that have a page of their own are listed by their names. */
const LISTED = 'Objects of --json';

interface Member {
  name: string;
  symbol: ts.Symbol;
}

/** The reference of docs/api.md. */
export function apiReference({ checker, exported }: Declarations): string {
  const groups = grouped(exported);
  const parts: string[] = ['| | |', '|---|---|'];
  for (const [title, members] of groups) {
    const names = title === LISTED ? `${members.length} types` : namesOf(members);
    parts.push(`| [${title}](#${anchorOf(title)}) | ${names} |`);
  }
  for (const [title, members] of groups) {
    const [, , text] = GROUPS.find(([each]) => each === title) ?? [];
    parts.push('', `### ${title}`, ...(text === undefined ? [] : ['', text]));
    if (title === LISTED) parts.push('', `${members.map(({ name }) => code(name)).join(', ')}.`);
    else for (const member of members) parts.push('', ...entry(member, checker));
  }
  return parts.join('\n');
}

/** What people look for first comes first: functions, then the rest, each in alphabetical order. */
function grouped(exported: Declarations['exported']): [string, Member[]][] {
  const groups = new Map<string, Member[]>(GROUPS.map(([title]) => [title, []]));
  for (const [name, symbol] of exported) {
    const place = moduleOf(symbol) ?? '';
    const [title] = GROUPS.find(([, members]) => members.test(name) || members.test(place)) ?? [];
    if (title === undefined) throw new Error(`${name} of ${place} is in no group of docs/api.md`);
    groups.get(title)?.push({ name, symbol });
  }
  const rank = ({ name, symbol }: Member): string => `${symbol.flags & ts.SymbolFlags.Function ? 0 : 1} ${name}`;
  for (const members of groups.values()) members.sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  return [...groups];
}

function namesOf(members: Member[]): string {
  return members.map(({ name }) => `[${code(name)}](#${anchorOf(name)})`).join(', ');
}

function code(name: string): string {
  return `\`${name}\``;
}

/** What GitHub makes of a heading. */
export function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9_ -]/g, '')
    .replaceAll(' ', '-');
}

function entry({ name, symbol }: Member, checker: ts.TypeChecker): string[] {
  const lines = [`#### ${name}`, '', meaningOf(symbol, checker), ''];
  const tags = symbol.getJsDocTags(checker).map(({ name: tag, text }) => tagLine(tag, ts.displayPartsToString(text)));
  if (tags.length > 0) lines.push(...tags, '');
  return [...lines, '```ts', ...(symbol.declarations ?? []).map(textOf), '```'];
}

/** The docstring of an exported symbol; empty where it has none. */
export function meaningOf(symbol: ts.Symbol, checker: ts.TypeChecker): string {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim();
  return text.replace(/\{@link (\w+)\}/g, '`$1`');
}

function tagLine(tag: string, text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (tag === 'throws') return `- Throws: ${line}`;
  if (tag === 'returns') return `- Returns ${line}`;
  const [, parameter = '', rest = ''] = /^(\S+) ?(.*)$/.exec(line) ?? [];
  return `- \`${parameter}\`: ${rest}`;
}

/** The declaration as tsc writes it, with the docstrings of its members and without its own; names without their modules. */
function textOf(declaration: ts.Declaration): string {
  const statement = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  return statement
    .getText()
    .replace(/^export (declare )?/, '')
    .replace(/import\("[^"]+"\)\./g, '')
    .replace(/^ {4}(?=[^ ])/gm, '  ')
    .replace(/^ {5}\*/gm, '   *')
    .replace(/^ {8}(?=[^ ])/gm, '    ')
    .replace(/^ {9}\*/gm, '     *')
    .replace(/^ {12}(?=[^ ])/gm, '      ');
}
