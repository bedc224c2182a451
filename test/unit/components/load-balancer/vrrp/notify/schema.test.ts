import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashOf } from '../../../../../../src/cluster/hash.js';
import { BASE, brief, parse, problemsOf } from '../../../../cluster/helpers.js';

const withNotify = (notify: string, type = '') => `${BASE}  loadBalancer: { ${type}notify: ${notify} }\n`;
const found = (notify: string) => problemsOf(withNotify(notify)).map(({ code, path }) => `${code} ${path}`);
const of = (notify: string) => {
  const { loadBalancer } = parse(withNotify(notify));
  return 'notify' in loadBalancer ? loadBalancer.notify : undefined;
};

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubewright-notify-'));
  writeFileSync(join(directory, 'ca.pem'), 'a certificate\n');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('a cluster whose file says nothing of it stays what it was', () => {
  expect(parse(BASE).loadBalancer).toEqual({ type: 'haproxy-keepalived', source: 'bundle' });
  expect(hashOf(parse(`${BASE}  loadBalancer: { notify: null }\n`))).toBe(hashOf(parse(BASE)));
});

describe('a webhook', () => {
  test('has an address, or the name of a variable that holds it', () => {
    const rest = { tokenEnv: null, ca: null };
    expect(of('{ webhook: { url: "https://hooks.example.org/vip?x=1" } }')).toEqual({
      webhook: { url: 'https://hooks.example.org/vip?x=1', urlEnv: null, ...rest },
      mail: null,
      command: null,
    });
    expect(of('{ webhook: { urlEnv: VIP_WEBHOOK } }')?.webhook).toEqual({ url: null, urlEnv: 'VIP_WEBHOOK', ...rest });
  });

  test('takes the certificates of its server along', () => {
    const ca = join(directory, 'ca.pem');
    expect(of(`{ webhook: { url: "https://hooks.example.org", caFile: ${ca} } }`)?.webhook?.ca).toBe('a certificate\n');
    expect(found(`{ webhook: { url: "https://hooks.example.org", caFile: ${directory}/none.pem } }`)).toEqual([
      'unreadable-text spec.loadBalancer.notify.webhook.caFile',
    ]);
  });

  test.each([
    ['{}', 'notify-address spec.loadBalancer.notify.webhook'],
    ['{ url: "https://a.example", urlEnv: A }', 'notify-address spec.loadBalancer.notify.webhook.urlEnv'],
    ['{ url: "https://me:secret@a.example/x" }', 'bad-value spec.loadBalancer.notify.webhook.url'],
    ['{ url: "https://a.example/x\\ny" }', 'bad-value spec.loadBalancer.notify.webhook.url'],
    ['{ url: "ftp://a.example" }', 'bad-value spec.loadBalancer.notify.webhook.url'],
    ['{ url: "http://a.example", tokenEnv: TOKEN }', 'notify-in-clear spec.loadBalancer.notify.webhook.url'],
    ['{ url: "https://a.example", tokenEnv: "eyJ.abc" }', 'bad-value spec.loadBalancer.notify.webhook.tokenEnv'],
  ])('%s is refused at its place', (webhook, problem) => {
    expect(found(`{ webhook: ${webhook} }`)).toEqual([problem]);
  });

  test('and certificates for an address without TLS', () => {
    expect(found(`{ webhook: { url: "http://a.example", caFile: ${directory}/ca.pem } }`)).toEqual([
      'notify-without-tls spec.loadBalancer.notify.webhook.caFile',
    ]);
  });

  test('a value that may be a secret is not shown', () => {
    const [problem] = problemsOf(withNotify('{ webhook: { url: "https://a.example", tokenEnv: "eyJ-secret" } }'));
    expect(JSON.stringify(problem)).not.toContain('eyJ-secret');
  });
});

describe('a mail', () => {
  const mail = (smtp: string) => `{ mail: { to: [a@example.org], from: k@example.org, smtp: ${smtp} } }`;

  test('goes by the host’s sendmail, or by a mail server at the usual port of its encryption', () => {
    expect(of('{ mail: { to: [a@example.org], from: k@example.org } }')?.mail).toEqual({
      to: ['a@example.org'],
      from: 'k@example.org',
      smtp: null,
    });
    const portOf = (smtp: string) => of(mail(smtp))?.mail?.smtp;
    const rest = { server: 'mail.example.org', user: null, passwordEnv: null, ca: null };
    expect(portOf('{ server: mail.example.org }')).toEqual({ ...rest, port: 587, tls: 'starttls' });
    expect(portOf('{ server: mail.example.org, tls: implicit }')).toEqual({ ...rest, port: 465, tls: 'implicit' });
    expect(portOf('{ server: mail.example.org, tls: none }')).toEqual({ ...rest, port: 25, tls: 'none' });
    expect(portOf('{ server: mail.example.org, port: 2525 }')).toEqual({ ...rest, port: 2525, tls: 'starttls' });
  });

  test.each([
    ['{ server: a.example, user: me }', 'notify-login spec.loadBalancer.notify.mail.smtp.user'],
    ['{ server: a.example, passwordEnv: P }', 'notify-login spec.loadBalancer.notify.mail.smtp.passwordEnv'],
    [
      '{ server: a.example, user: me, passwordEnv: P, tls: none }',
      'notify-in-clear spec.loadBalancer.notify.mail.smtp.tls',
    ],
    ['{ port: 25 }', 'missing spec.loadBalancer.notify.mail.smtp.server'],
  ])('smtp %s is refused at its place', (smtp, problem) => {
    expect(found(mail(smtp))).toEqual([problem]);
  });

  test('goes to addresses alone: a line end would be a further header', () => {
    expect(found('{ mail: { to: ["a@example.org\\nBcc: b@example.org"], from: k@example.org } }')).toEqual([
      'bad-value spec.loadBalancer.notify.mail.to[0]',
    ]);
  });
});

test('a command is a list whose first word is a whole path', () => {
  expect(of('{ command: [/usr/local/sbin/on-change, --page, "two words"] }')?.command).toEqual([
    '/usr/local/sbin/on-change',
    '--page',
    'two words',
  ]);
  expect(found('{ command: [on-change] }')).toEqual(['notify-command spec.loadBalancer.notify.command[0]']);
  expect(found('{ command: [] }')).toEqual(['bad-value spec.loadBalancer.notify.command']);
  expect(found('{ command: "/usr/local/sbin/on-change --page" }')).toEqual([
    'bad-value spec.loadBalancer.notify.command',
  ]);
});

test('a key that tells nobody is an error', () => {
  expect(found('{}')).toEqual(['notify-nobody spec.loadBalancer.notify']);
});

test('static pods cannot have it, and the message says why', () => {
  const [problem] = problemsOf(withNotify('{ command: [/bin/x] }', 'type: static-pods, '));
  expect(problem && brief(problem)).toMatch(/key-of-another-choice spec\.loadBalancer\.notify$/);
  expect(problem?.message).toContain('keepalived is in a container that has neither mail nor a program of yours');
});
