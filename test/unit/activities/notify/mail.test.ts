import type { AddressInfo } from 'node:net';
import { createServer as createTcp, type Server } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SENDERS } from '../../../../src/activities/notify/senders.js';
import { tellChannel } from '../../../../src/activities/notify/tellChannel.js';
import type { SmtpSettings } from '../../../../src/cluster/channels/settings.js';
import { clusterWith, NEWS } from './news.js';
import { type SelfSigned, selfSigned } from './tls.js';

let tls: SelfSigned;
let ends: (() => void)[] = [];
beforeAll(async () => {
  tls = await selfSigned();
});
afterEach(() => {
  for (const end of ends) end();
  ends = [];
});

interface Taken {
  to: string[];
  from: string | undefined;
  user: string | undefined;
  secure: boolean;
  text: string;
}

/** A real mail server, which knows one user and no mailbox "nobody". */
async function mailServer(options: SMTPServerOptions = {}) {
  const taken: Taken[] = [];
  const server = new SMTPServer({
    ...tls,
    authOptional: true,
    disableReverseLookup: true,
    onAuth: ({ username, password }, _session, done) =>
      password === 'right' ? done(null, { user: username }) : done(new Error('wrong password')),
    onRcptTo: ({ address }, _session, done) =>
      address.startsWith('nobody') ? done(Object.assign(new Error('no such mailbox'), { responseCode: 550 })) : done(),
    onData: (stream, session, done) => {
      let text = '';
      stream.on('data', (chunk) => {
        text += chunk;
      });
      stream.on('end', () => {
        const { rcptTo, mailFrom } = session.envelope;
        const to = rcptTo.map(({ address }) => address);
        const from = mailFrom ? mailFrom.address : undefined;
        taken.push({ to, from, user: session.user as string | undefined, secure: session.secure, text });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  ends.push(() => server.close());
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { taken, port: (server.server.address() as AddressInfo).port };
}

const smtpOf = (port: number, fields: Partial<SmtpSettings> = {}): SmtpSettings => ({
  server: '127.0.0.1',
  port,
  tls: 'starttls',
  user: null,
  passwordEnv: null,
  ca: tls.cert,
  ...fields,
});

function tell(smtp: SmtpSettings, { to = ['ops@example.org'], env = {}, limitMs = 8_000 }: Partial<How> = {}) {
  const senders = { ...SENDERS, limitsMs: { ...SENDERS.limitsMs, mail: limitMs } };
  const around = { senders, lookUp: (name: string) => env[name], signal: new AbortController().signal };
  const mail = { to, from: 'kubewright@example.org', smtp };
  return tellChannel(clusterWith({ mail }), { channel: 'mail', news: NEWS }, around);
}

interface How {
  to: string[];
  env: Record<string, string>;
  limitMs: number;
}

const LOGIN = { user: 'ada', passwordEnv: 'SMTP_PASSWORD' };

const untold = (message: RegExp, transient: boolean) => ({
  code: 'KW686',
  message: expect.stringMatching(message),
  transient,
});

describe('a mail', () => {
  it('goes to all of its addresses by STARTTLS, with a login from the environment of the worker', async () => {
    const { taken, port } = await mailServer();
    const to = ['ops@example.org', 'ada@example.org'];
    expect(await tell(smtpOf(port, LOGIN), { to, env: { SMTP_PASSWORD: 'right' } })).toEqual({});
    expect(taken).toMatchObject([{ to, from: 'kubewright@example.org', user: 'ada', secure: true }]);
    const text = taken[0]?.text ?? '';
    expect(text).toMatch(/^Subject: \[demo\] demo is degraded, 1 finding, it was healthy\r$/m);
    expect(text).toMatch(/^Message-ID: <demo-run-1@kubewright>\r$/m);
    expect(text).toMatch(/^Auto-Submitted: auto-generated\r$/m);
    expect(text).toContain('KW601 cp-2: it is not ready');
  });

  it('goes over a connection that is encrypted from its beginning', async () => {
    const { taken, port } = await mailServer({ secure: true });
    expect(await tell(smtpOf(port, { tls: 'implicit' }))).toEqual({});
    expect(taken).toMatchObject([{ secure: true }]);
  });

  it('goes in clear where the file says so', async () => {
    const { taken, port } = await mailServer();
    expect(await tell(smtpOf(port, { tls: 'none', ca: null }))).toEqual({});
    expect(taken).toMatchObject([{ secure: false }]);
  });

  it('does not go, nor does the password, where the server has no STARTTLS', async () => {
    let isAsked = false;
    const { taken, port } = await mailServer({
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => {
        isAsked = true;
        done(null, { user: 'ada' });
      },
    });
    const telling = tell(smtpOf(port, LOGIN), { env: { SMTP_PASSWORD: 'right' } });
    await expect(telling).rejects.toMatchObject(untold(/127\.0\.0\.1 did not take the mail: /, false));
    expect({ taken, isAsked }).toEqual({ taken: [], isAsked: false });
  });

  it('does not go to a server whose certificate nobody vouches for', async () => {
    const { taken, port } = await mailServer();
    await expect(tell(smtpOf(port, { ca: null }))).rejects.toMatchObject({
      ...untold(/self-signed certificate/, false),
      hint: expect.stringContaining('caFile'),
    });
    expect(taken).toEqual([]);
  });

  it('with a wrong password is told without it, and one without a password by the name of its variable', async () => {
    const { port } = await mailServer();
    const wrong = await tell(smtpOf(port, LOGIN), { env: { SMTP_PASSWORD: 'wr0ng' } }).catch((error) => error);
    expect(wrong).toMatchObject(untold(/did not take the mail: .*wrong password/, false));
    expect(wrong.hint).toContain('password');
    expect(JSON.stringify([wrong.message, wrong.hint])).not.toContain('wr0ng');
    await expect(tell(smtpOf(port, LOGIN))).rejects.toMatchObject(untold(/has no SMTP_PASSWORD$/, false));
  });

  it('that is taken for some addresses only is not sent again, and the others are named', async () => {
    const { taken, port } = await mailServer();
    const { undelivered } = await tell(smtpOf(port), { to: ['ops@example.org', 'nobody@example.org'] });
    expect(undelivered?.what).toBe('127.0.0.1 took no mail for nobody@example.org');
    expect(taken).toMatchObject([{ to: ['ops@example.org'] }]);
    const none = tell(smtpOf(port), { to: ['nobody@example.org'] });
    await expect(none).rejects.toMatchObject(untold(/no such mailbox/, false));
  });

  it('that the server wants later is tried again', async () => {
    const later = Object.assign(new Error('greylisted'), { responseCode: 451 });
    const { port } = await mailServer({ onMailFrom: (_address, _session, done) => done(later) });
    await expect(tell(smtpOf(port))).rejects.toMatchObject(untold(/greylisted/, true));
  });

  it('is given up where the server hangs, and tried again where nobody serves', async () => {
    const silent: Server = createTcp(() => {});
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    const { port } = silent.address() as AddressInfo;
    const hanging = tell(smtpOf(port), { limitMs: 300 });
    await expect(hanging).rejects.toMatchObject(untold(/127\.0\.0\.1 did not answer in time/, true));
    await new Promise((resolve) => silent.close(resolve));
    await expect(tell(smtpOf(port))).rejects.toMatchObject(untold(/ECONNREFUSED/, true));
  });
});
