import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashOf } from '../../../src/cluster/hash.js';
import { needsOf } from '../../../src/engine/worker/environment.js';
import { BASE, brief, parse, problemsOf } from './helpers.js';

const withNotify = (notify: string) => `${BASE}  health: { notify: ${notify} }\n`;
const found = (notify: string) => problemsOf(withNotify(notify)).map(({ code, path }) => `${code} ${path}`);
const of = (notify: string) => parse(withNotify(notify)).health?.notify;
const at = (keys: string) => `spec.health.notify${keys}`;

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubewright-health-'));
  writeFileSync(join(directory, 'ca.pem'), CERTIFICATE);
  writeFileSync(join(directory, 'key.pem'), '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n');
  writeFileSync(join(directory, 'notes.txt'), 'ask Ada for the certificate\n');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('a cluster whose file tells nobody stays what it was', () => {
  expect(parse(BASE)).not.toHaveProperty('health');
  for (const empty of ['null', '{}', '{ notify: null }']) {
    expect(hashOf(parse(`${BASE}  health: ${empty}\n`)), empty).toBe(hashOf(parse(BASE)));
  }
});

test('a key that tells nobody is an error', () => {
  expect(found('{}')).toEqual([`notify-nobody ${at('')}`]);
});

test.each([
  ['{ webhook: 3 }', '.webhook'],
  ['{ webhook: { url: [], tokenEnv: TOKEN } }', '.webhook.url'],
  ['{ mail: 3 }', '.mail'],
  ['{ mail: { to: [a@example.org], from: b@example.org, smtp: 3 } }', '.mail.smtp'],
  ['3', ''],
])('what is of the wrong kind is told once, where it stands: %s', (notify, keys) => {
  expect(found(notify)).toEqual([`bad-value ${at(keys)}`]);
});

test('what is wrong with all channels is told at once, each at its line', () => {
  const text = `${BASE}  health:
    notify:
      webhook:
        url: http://hooks.example.org
        tokenEnv: TOKEN
        format: slack
      mail:
        to: []
        from: ops
        smtp: { server: mail.example.org, tls: none }
      command: [page-me]
`;
  expect(problemsOf(text).map(brief)).toEqual([
    `24:14 notify-in-clear ${at('.webhook.url')}`,
    `26:17 bad-value ${at('.webhook.format')}`,
    `28:13 bad-value ${at('.mail.to')}`,
    `29:15 bad-value ${at('.mail.from')}`,
    `30:48 notify-in-clear ${at('.mail.smtp.tls')}`,
    `31:17 notify-command ${at('.command[0]')}`,
  ]);
});

describe('a webhook', () => {
  test('has an address or the name of a variable, and posts everything unless a chat program reads it', () => {
    const rest = { tokenEnv: null, ca: null };
    expect(of('{ webhook: { url: "https://hooks.example.org/x?y=1" } }')).toEqual({
      webhook: { url: 'https://hooks.example.org/x?y=1', urlEnv: null, ...rest, format: 'json' },
      mail: null,
      command: null,
    });
    expect(of('{ webhook: { urlEnv: CHAT_HOOK, format: chat } }')?.webhook).toEqual({
      url: null,
      urlEnv: 'CHAT_HOOK',
      ...rest,
      format: 'chat',
    });
  });

  test('takes the certificates of its server along, which have to be some', () => {
    const hook = (file: string) => `{ webhook: { url: "https://a.example", caFile: ${directory}/${file} } }`;
    expect(of(hook('ca.pem'))?.webhook?.ca).toBe(CERTIFICATE);
    const place = at('.webhook.caFile');
    expect(found(hook('notes.txt'))).toEqual([`no-certificates ${place}`]);
    expect(found(hook('key.pem')).sort()).toEqual([`no-certificates ${place}`, `secret ${place}`]);
    expect(found(hook('none.pem'))).toEqual([`unreadable-text ${place}`]);
  });

  test.each([
    ['{}', `notify-address ${at('.webhook')}`],
    ['{ url: "https://a.example", urlEnv: A }', `notify-address ${at('.webhook.urlEnv')}`],
    ['{ url: "https://me:secret@a.example/x" }', `bad-value ${at('.webhook.url')}`],
    ['{ url: "https://a.example", tokenEnv: "eyJ.abc" }', `bad-value ${at('.webhook.tokenEnv')}`],
  ])('%s is refused at its place', (webhook, problem) => {
    expect(found(`{ webhook: ${webhook} }`)).toEqual([problem]);
  });
});

test('the address of a chat in the file is taken with a warning: it is nearly always a secret', () => {
  expect(
    problemsOf(withNotify('{ webhook: { url: "https://chat.example.org/T0/s3cret", format: chat } }')).map(brief),
  ).toEqual([expect.stringMatching(/^! .* notify-secret-address spec\.health\.notify\.webhook\.url$/)]);
  expect(found('{ webhook: { urlEnv: CHAT, format: chat } }')).toEqual([]);
});

describe('a mail', () => {
  const mail = (smtp: string) => `{ mail: { to: [a@example.org], from: k@example.org, smtp: ${smtp} } }`;

  test('goes by a mail server, with STARTTLS at the port of that unless the file says otherwise', () => {
    expect(of(mail('{ server: mail.example.org, user: me, passwordEnv: P }'))?.mail).toEqual({
      to: ['a@example.org'],
      from: 'k@example.org',
      smtp: { server: 'mail.example.org', port: 587, tls: 'starttls', user: 'me', passwordEnv: 'P', ca: null },
    });
  });

  test('needs no TLS on the way to a server of the worker’s own machine, and nowhere else', () => {
    for (const own of ['localhost', '127.0.0.1']) {
      expect(of(mail(`{ server: ${own}, tls: none }`))?.mail?.smtp).toMatchObject({ tls: 'none', port: 25 });
    }
    for (const other of ['mail.example.org', '10.0.0.1', '127.0.0.1.example.org']) {
      expect(found(mail(`{ server: ${other}, tls: none }`)), other).toEqual([
        `notify-in-clear ${at('.mail.smtp.tls')}`,
      ]);
    }
  });

  test('has no sendmail of the hosts to go by: a mail server has to be named', () => {
    expect(found('{ mail: { to: [a@example.org], from: k@example.org } }')).toEqual([`missing ${at('.mail.smtp')}`]);
    expect(found(mail('{ server: a.example, user: me }'))).toEqual([`notify-login ${at('.mail.smtp.user')}`]);
  });
});

test('a command is a list whose first word is a whole path', () => {
  expect(of('{ command: [/usr/local/bin/page, --who, "on call"] }')?.command).toEqual([
    '/usr/local/bin/page',
    '--who',
    'on call',
  ]);
  expect(found('{ command: "/usr/local/bin/page --who" }')).toEqual([`bad-value ${at('.command')}`]);
});

test('variables that hold secrets of channels are among those that a worker in the background is started with', () => {
  const text = withNotify(
    '{ webhook: { urlEnv: HOOK, tokenEnv: TOKEN }, mail: { to: [a@b.c], from: a@b.c, smtp: { server: a.example, user: me, passwordEnv: PASS } } }',
  );
  expect(needsOf(parse(text)).variables).toEqual(['HOOK', 'PASS', 'TOKEN']);
});

describe('snapshots that checks ask for', () => {
  const withSnapshots = (snapshots: string) => `${BASE}  health: { snapshots: ${snapshots} }\n`;

  test.each([
    ['{ files: /var/backups/etcd/*.db, maxAge: 26h }', 26 * 3_600_000],
    ['{ files: "/backup/etcd-[0-9]*.db", maxAge: 1h30m }', 5_400_000],
    ['{ files: /b/latest.db, maxAge: 60s }', 60_000],
    ['{ files: /snapshot }', 26 * 3_600_000],
  ])('%s', (snapshots, maxAge) => {
    expect(problemsOf(withSnapshots(snapshots))).toEqual([]);
    // Somebody who asks for snapshots alone tells nobody.
    expect(Object.keys(parse(withSnapshots(snapshots)).health ?? {})).toEqual(['snapshots']);
    expect(parse(withSnapshots(snapshots)).health?.snapshots?.maxAge).toBe(maxAge);
  });

  test.each([
    'backups/*.db',
    '/var/*/etcd.db',
    '/var/backups/',
    '/',
    '/var/../etc/*.db',
    '/var/./b.db',
    '"/b/$(reboot).db"',
    '"/b/{a,b}.db"',
    '/b/x;y',
    '"/b/a b.db"',
    '"/b/a`x`"',
    '"/b/it\'s.db"',
    '7',
  ])('files: %s are none', (files) => {
    expect(
      problemsOf(withSnapshots(`{ files: ${files} }`)).map(({ code, path, line }) => `${line} ${code} ${path}`),
    ).toEqual(['21 bad-value spec.health.snapshots.files']);
  });

  test.each(['0h', '59s', '1d', '-1h', '26', '""', '[]', 'soon', '1.5h'])('maxAge: %s is none', (maxAge) => {
    const found = problemsOf(withSnapshots(`{ files: /b/*.db, maxAge: ${maxAge} }`));
    expect(found.map(({ code, path }) => `${code} ${path}`)).toEqual(['bad-value spec.health.snapshots.maxAge']);
  });

  test('both keys are told at once, and files have to be named', () => {
    expect(problemsOf(withSnapshots('{ files: b, maxAge: b }'))).toHaveLength(2);
    expect(problemsOf(withSnapshots('{ maxAge: 1h }')).map(({ path }) => path)).toEqual([
      expect.stringContaining('spec.health.snapshots'),
    ]);
  });
});

describe('names outside of the cluster that pods have to resolve', () => {
  const withNames = (names: string) => `${BASE}  health: { outsideNames: ${names} }\n`;

  test('stand as they are written, and tell nobody', () => {
    expect(problemsOf(withNames('[registry.example.org, _x.db-1.Example.NET]'))).toEqual([]);
    expect(parse(withNames('[registry.example.org]')).health).toEqual({ outsideNames: ['registry.example.org'] });
  });

  test.each([
    'registry',
    'registry.example.org.',
    '"*.example.org"',
    'https://example.org',
    'example.org:443',
    '10.0.0.1',
    '"a b.example.org"',
    '"$(reboot).example.org"',
    '"+trace.example.org"',
    '"-f.example.org"',
    '7',
  ])('%s is none', (name) => {
    expect(problemsOf(withNames(`[${name}]`)).map(({ code }) => code)).toEqual(['bad-value']);
  });

  test('are five at most', () => {
    expect(problemsOf(withNames('[a.de, b.de, c.de, d.de, e.de, f.de]'))).toHaveLength(1);
  });
});
