import { SAYS_NO } from '../../../src/activities/remote-facts.js';
import { failed, type Said, said } from './api.js';
import { answerEtcd, isMember } from './etcd.js';
import { FUNCTIONS } from './functions.js';
import type { FakeHost } from './host.js';
import { callApi } from './kubectl.js';
import type { Answered, Respondent } from './questions.js';
import { answerTools } from './tools.js';

/** How a fake host answers the questions of one script. */
export function respondentOf(host: FakeHost): Respondent {
  return {
    holds: (condition) => holds(host, condition),
    exists: (path) => host.has(path),
    answer: (words, functions) => answer(host, words, functions),
  };
}

function holds(host: FakeHost, condition: string): boolean {
  const path = /^\[ -e (\S+) \]$/.exec(condition)?.[1];
  if (path !== undefined) return host.has(path);
  if (condition === '(: <>/dev/tcp/127.0.0.1/2379) 2>/dev/null') return isMember(host);
  throw new Error(`a condition that is not known: ${condition}`);
}

function answer(host: FakeHost, words: string[], functions: Map<string, string>): Answered {
  const [command = '', ...rest] = words;
  const own = FUNCTIONS[command];
  // Those of the library stand in each script, and are answered like commands.
  const asked =
    own !== undefined && functions.has(command)
      ? own(host, rest, functions.get(command) ?? '')
      : answerCommand(host, command, rest);
  if (asked === undefined) throw new Error(`a question that is not known: ${words.join(' ')}`);
  const { code, stdout, stderr } = asked;
  return { status: code, text: stdout.trimEnd(), ...(code !== 0 && code !== SAYS_NO && { why: stderr }) };
}

function answerCommand(host: FakeHost, command: string, rest: string[]): Said | undefined {
  switch (command) {
    case 'kubectl':
      return callApi(host, rest, '');
    case 'etcdctl':
      return answerEtcd(host, rest);
    case 'timeout':
      return answerCommand(host, rest[1] ?? '', rest.slice(2));
    default:
      return answerFiles(host, command, rest) ?? answerTools(host, [command, ...rest].join(' '));
  }
}

const NO: Said = { code: SAYS_NO, stdout: '', stderr: '' };
const FALSE: Said = { code: 1, stdout: '', stderr: '' };

/** Questions about files and services, which have their answer in the host's state. */
function answerFiles(host: FakeHost, command: string, rest: string[]): Said | undefined {
  const path = rest.at(-1) ?? '';
  const content = path.startsWith('/proc/sys/') ? host.sysctls.get(path) : host.files.get(path);
  switch (command) {
    case 'exists':
      return host.hasAny(rest) ? said('') : NO;
    case 'content':
      return content === undefined ? NO : said(content);
    case 'head':
    case 'cat':
      return content === undefined ? failed(`cat: ${path}: No such file or directory\n`) : said(content);
    case 'digest':
      return host.digest(path) === undefined ? FALSE : said(host.digest(path) ?? '');
    case 'cut':
      return content === undefined ? FALSE : said(content.slice(0, 64));
    case 'test':
      return host.has(path) ? said('') : FALSE;
    case 'stat':
      return host.has(path) ? said('1700000000') : FALSE;
    case 'runs':
      return host.active.has(unitOf(path)) ? said('') : NO;
    case 'systemctl':
      return answerSystemctl(host, rest);
    default:
      return undefined;
  }
}

function answerSystemctl(host: FakeHost, [verb, ...rest]: string[]): Said | undefined {
  const unit = unitOf(rest.at(-1) ?? '');
  if (verb === 'is-active') return host.active.has(unit) ? said('active') : { ...FALSE, stdout: 'inactive' };
  if (verb === 'is-enabled') return host.enabled.has(unit) ? said('enabled') : { ...FALSE, stdout: 'disabled' };
  return undefined;
}

function unitOf(name: string): string {
  return name.replace(/\.service$/, '');
}
