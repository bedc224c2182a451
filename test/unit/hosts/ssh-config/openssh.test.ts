import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { evaluate } from '../../../../src/hosts/connection/ssh-config/evaluate.js';
import { ConfigProblem } from '../../../../src/hosts/connection/ssh-config/lines.js';
import { notRunHere } from '../../not-run.js';

const HAS_SSH = spawnSync('ssh', ['-V']).status === 0;
const ENV = { KW_DIR: '/run/kw', HOME: homedir(), PATH: process.env.PATH };
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'kubewright-openssh-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** What both sides are asked for: each keyword with its values, as `ssh -G` prints them. */
type Answer = Record<string, string> | 'refused';

function askOpenSsh(file: string, host: string, user?: string): Answer {
  const { status, stdout } = spawnSync('ssh', ['-G', '-F', file, ...(user ? ['-l', user] : []), '--', host], {
    encoding: 'utf8',
    env: ENV,
  });
  if (status !== 0) return 'refused';
  const found: Record<string, string[]> = {};
  for (const line of stdout.split('\n')) {
    const [keyword = '', ...rest] = line.split(' ');
    found[keyword] = [...(found[keyword] ?? []), rest.join(' ')];
  }
  const first = (keyword: string): string => found[keyword]?.[0] ?? '';
  const files = found.identityfile ?? [];
  return {
    hostname: first('hostname'),
    port: first('port'),
    user: first('user'),
    // Without any line ssh prints the names that it tries by itself.
    identityfile: files.includes('~/.ssh/id_xmss') ? '' : files.join(' '),
    identitiesonly: first('identitiesonly'),
    identityagent: first('identityagent'),
    hostkeyalias: first('hostkeyalias'),
    userknownhostsfile: first('userknownhostsfile').includes('known_hosts2') ? '' : first('userknownhostsfile'),
    proxy: (first('proxyjump') || first('proxycommand')).replace(/^none$/, ''),
  };
}

function askOurs(file: string, host: string, user?: string): Answer {
  const localUser = userInfo().username;
  try {
    const found = evaluate([{ file, isUsers: true, mayBeMissing: false }], {
      host,
      user,
      defaultUser: localUser,
      localUser,
      homeDirectory: homedir(),
      env: ENV,
    });
    const first = (keyword: string): string => found.settings.get(keyword)?.values.join(' ') ?? '';
    const proxy = first('proxy');
    return {
      hostname: found.hostName,
      port: first('port') || '22',
      user: user ?? (first('user') || localUser),
      identityfile: found.identityFiles.map(({ values }) => values[0]).join(' '),
      identitiesonly: first('identitiesonly') || 'no',
      identityagent: first('identityagent'),
      hostkeyalias: first('hostkeyalias').toLowerCase(),
      userknownhostsfile: first('userknownhostsfile'),
      proxy: proxy === 'none' ? '' : proxy,
    };
  } catch (error) {
    if (error instanceof ConfigProblem) return 'refused';
    throw error;
  }
}

const NAMES = ['cp-1', 'CP-1', '10.0.0.11', 'cp-1.example.org', 'gate', 'Gate.Example.ORG'];
const PATTERNS = [
  '*',
  'cp-*',
  'cp-?',
  'CP-1',
  '10.0.0.*',
  '*.example.org',
  'gate',
  '!gate',
  '!cp-1',
  '!*.org',
  'g?te',
  'c*1*',
];
const KEYWORDS = ['Port', 'User', 'HostName', 'IdentityFile', 'IdentitiesOnly', 'IdentityAgent', 'HostKeyAlias'];
const VALUES: Record<string, string[]> = {
  Port: ['22', '2222', '2022'],
  User: ['ops', 'admin', '"with blank"', 'root'],
  HostName: ['%h.example.org', '10.0.0.11', 'gate', 'UPPER.example.org', '%h', '100%%'],
  IdentityFile: ['~/.ssh/a', '/keys/b', '"/keys/c d"', '/keys/%h', 'none', "'/k/e'", '/k/f\\ g'],
  IdentitiesOnly: ['yes', 'no'],
  IdentityAgent: ['none', '/run/agent', '$KW_AGENT', 'SSH_AUTH_SOCK'],
  HostKeyAlias: ['one', 'Two'],
  UserKnownHostsFile: ['/k/1', '/k/1 /k/2', '"/k/3"'],
  ProxyJump: ['jump', 'ops@jump:2222', 'none'],
  ProxyCommand: ['nc a 1', 'none'],
  ForwardAgent: ['yes'],
  Ciphers: ['aes256-ctr'],
};

const caseOf = fc.constantFrom(
  (word: string) => word,
  (word: string) => word.toLowerCase(),
  (word: string) => word.toUpperCase(),
);
const separator = fc.constantFrom(' ', '\t', ' = ', '=', '  ');
const setting = fc
  .constantFrom(...KEYWORDS, 'UserKnownHostsFile', 'ProxyJump', 'ProxyCommand', 'ForwardAgent', 'Ciphers')
  .chain((keyword) => fc.tuple(fc.constant(keyword), fc.constantFrom(...(VALUES[keyword] ?? []))));
const line = fc
  .tuple(setting, caseOf, separator, fc.constantFrom('', '  '), fc.constantFrom('', ' # note'))
  .map(([[keyword, value], change, between, indent, comment]) => {
    // What follows ProxyCommand is the command, whatever it is; a comment behind `ProxyJump none` makes it a host to some.
    return `${indent}${change(keyword)}${between}${value}${keyword.startsWith('Proxy') && value !== 'jump' ? '' : comment}`;
  });
const hostLine = fc
  .tuple(caseOf, separator, fc.array(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 3 }))
  .map(([change, between, patterns]) => `${change('Host')}${between}${patterns.join(' ')}`);
const list = (...words: string[]) =>
  fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 3 }).map((chosen) => chosen.join(','));
const criterion = fc.oneof(
  fc.tuple(fc.constantFrom('host', 'originalhost', '!host', 'Host', '!originalhost'), list(...PATTERNS)),
  fc.tuple(fc.constantFrom('user', '!user'), list('ops', 'admin', 'r*', '!root', '*')),
  fc.tuple(fc.constantFrom('localuser', '!localuser'), list(userInfo().username, 'deploy', '*')),
  fc.constantFrom(['final'], ['canonical'], ['!final'], ['!canonical']),
);
const matchLine = fc.oneof(
  fc.constantFrom('Match all', 'Match final all', 'match canonical all', 'Match !all'),
  fc
    .tuple(fc.array(criterion, { minLength: 1, maxLength: 3 }), fc.constantFrom(' ', '  '))
    .map(([criteria, between]) => `Match ${criteria.map((words) => words.join(between)).join(' ')}`),
);
const body = fc.array(
  fc.oneof({ weight: 5, arbitrary: line }, hostLine, matchLine, fc.constantFrom('', '# x', '   ')),
  {
    maxLength: 12,
  },
);
const included = fc.constantFrom(
  'Include DIR/part-*',
  'Include DIR/*/deep',
  'include=DIR/part-2',
  'Include "DIR/a b/x"',
  'Include DIR/no*',
);

describe('ssh -G says the same', () => {
  test('for generated configurations', { timeout: 120_000 }, (context) => {
    if (!HAS_SSH) notRunHere(context, 'there is no ssh on this machine');
    mkdirSync(path.join(directory, 'sub'));
    mkdirSync(path.join(directory, 'a b'));
    let refused = 0;
    let finals = 0;
    const property = fc.property(
      fc.tuple(body, included, body),
      fc.array(body, { minLength: 4, maxLength: 4 }),
      fc.constantFrom(...NAMES),
      fc.constantFrom(undefined, undefined, 'ops', 'root'),
      ([before, include, after], parts, host, user) => {
        const write = (name: string, lines: string[]): string => {
          const file = path.join(directory, name);
          writeFileSync(file, `${lines.join('\n').replaceAll('DIR', directory)}\n`, { mode: 0o600 });
          return file;
        };
        const file = write('config', [...before, include, ...after]);
        ['part-1', 'part-2', 'sub/deep', 'a b/x'].forEach((name, index) => void write(name, parts[index] ?? []));
        const theirs = askOpenSsh(file, host, user);
        if (theirs === 'refused') refused += 1;
        if ([...before, ...after].some((each) => each.includes('final'))) finals += 1;
        expect(askOurs(file, host, user)).toEqual(theirs);
      },
    );
    fc.assert(property, { numRuns: Number(process.env.KW_RUNS ?? 200), seed: 20261125 });
    // A generator whose every file is refused would compare nothing.
    expect(refused).toBeLessThan(200);
    expect(finals).toBeGreaterThan(10);
  });
});
