import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { judge, knownKeyTypes, lookupName, parseKnownHosts } from '../../../src/hosts/connection/known-hosts.js';
import { clientUnderTest } from './client.js';
import { HOST_KEYS, publicLine, type ServerOptions, SshServer, Surroundings } from './ssh-server.js';

const KEY = publicLine(HOST_KEYS.ed25519);
const OTHER = publicLine(HOST_KEYS.other);
const ECDSA = publicLine(HOST_KEYS.ecdsa);
const blob = (line: string): Buffer => Buffer.from(line.split(' ')[1] ?? '', 'base64');

function hashed(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

describe('the file format', () => {
  const verdict = (text: string, name: string): string =>
    judge(parseKnownHosts(text, 'f').entries, name, blob(KEY)).kind;

  test.each([
    ['a plain name', `cp-1 ${KEY}`, 'cp-1', 'trusted'],
    ['a list of names', `cp-1,10.0.0.1 ${KEY}`, '10.0.0.1', 'trusted'],
    ['a comment behind the key', `cp-1 ${KEY} root@cp-1`, 'cp-1', 'trusted'],
    ['upper case in the file', `CP-1 ${KEY}`, 'cp-1', 'trusted'],
    ['another name', `cp-2 ${KEY}`, 'cp-1', 'unknown'],
    ['an empty file', '', 'cp-1', 'unknown'],
    ['comments and blank lines', `# a comment\n\n  \ncp-1 ${KEY}\n`, 'cp-1', 'trusted'],
    ['Windows line ends', `cp-1 ${KEY}\r\n`, 'cp-1', 'trusted'],
    ['a hashed name', `${hashed('cp-1')} ${KEY}`, 'cp-1', 'trusted'],
    ['a hashed name with a port', `${hashed('[cp-1]:2222')} ${KEY}`, '[cp-1]:2222', 'trusted'],
    ['a hashed name of another host', `${hashed('cp-2')} ${KEY}`, 'cp-1', 'unknown'],
    ['a port', `[cp-1]:2222 ${KEY}`, '[cp-1]:2222', 'trusted'],
    ['another port', `[cp-1]:2223 ${KEY}`, '[cp-1]:2222', 'unknown'],
    ['the name without its port', `cp-1 ${KEY}`, '[cp-1]:2222', 'unknown'],
    ['a wildcard', `*.example.com ${KEY}`, 'a.example.com', 'trusted'],
    ['a wildcard is no regular expression', `a.example.co* ${KEY}`, 'aXexample.com', 'unknown'],
    ['a question mark', `cp-? ${KEY}`, 'cp-1', 'trusted'],
    ['a negation', `*.example.com,!bad.example.com ${KEY}`, 'bad.example.com', 'unknown'],
    ['a negation in front', `!bad.example.com,*.example.com ${KEY}`, 'bad.example.com', 'unknown'],
    ['a negation of another', `*.example.com,!bad.example.com ${KEY}`, 'good.example.com', 'trusted'],
    ['another key of the same type', `cp-1 ${OTHER}`, 'cp-1', 'changed'],
    ['only a key of another type', `cp-1 ${ECDSA}`, 'cp-1', 'changed'],
    ['the right key among several', `cp-1 ${OTHER}\ncp-1 ${ECDSA}\ncp-1 ${KEY}`, 'cp-1', 'trusted'],
    ['a revoked key', `cp-1 ${KEY}\n@revoked * ${KEY}`, 'cp-1', 'revoked'],
    ['another key revoked', `cp-1 ${KEY}\n@revoked * ${OTHER}`, 'cp-1', 'trusted'],
    ['a revoked key alone', `@revoked cp-1 ${KEY}`, 'cp-1', 'revoked'],
    ['a certificate authority', `@cert-authority * ${OTHER}`, 'cp-1', 'certificate-authority'],
    ['a certificate authority with the same key', `@cert-authority * ${KEY}`, 'cp-1', 'certificate-authority'],
    ['a certificate authority and a key', `@cert-authority * ${OTHER}\ncp-1 ${KEY}`, 'cp-1', 'trusted'],
    ['SSH protocol 1', `cp-1 1024 35 1234567\ncp-1 ${KEY}`, 'cp-1', 'trusted'],
  ])('%s', (_title, text, name, expected) => {
    expect(parseKnownHosts(text, 'f').malformed).toEqual([]);
    expect(verdict(text, name)).toBe(expected);
  });

  test.each([
    ['two fields', 'cp-1 ssh-ed25519'],
    ['an unknown marker', `@trusted cp-1 ${KEY}`],
    ['a key that is not base64', 'cp-1 ssh-ed25519 ???'],
    ['a key of another type than it says', `cp-1 ssh-rsa ${KEY.split(' ')[1]}`],
    ['a key cut short', 'cp-1 ssh-ed25519 AAAA'],
    ['a hash of another kind', `|2|abc|def ${KEY}`],
  ])('is malformed: %s', (_title, line) => {
    const { entries, malformed } = parseKnownHosts(`# first\n${line}\n`, '/home/x/known_hosts');
    expect(entries).toEqual([]);
    expect(malformed).toEqual([{ file: '/home/x/known_hosts', line: 2, why: expect.any(String) }]);
  });

  test('looks up [host]:port for any port but 22, in lower case', () => {
    expect(lookupName('CP-1.Example', 22)).toBe('cp-1.example');
    expect(lookupName('10.0.0.1', 2222)).toBe('[10.0.0.1]:2222');
  });

  test('lists the key types of a host once, revoked ones not', () => {
    const { entries } = parseKnownHosts(`cp-1 ${ECDSA}\n@revoked cp-1 ${KEY}\n* ${ECDSA}`, 'f');
    expect(knownKeyTypes(entries, 'cp-1')).toEqual(['ecdsa-sha2-nistp256']);
  });
});

describe('a connection', () => {
  let where: Surroundings;
  let server: SshServer;

  beforeEach(() => {
    where = new Surroundings();
  });
  afterEach(async () => {
    await where.end();
    await server.stop();
  });

  async function serve(knownHosts?: (name: string) => string, options: ServerOptions = {}): Promise<string> {
    server = await SshServer.start(options);
    const name = `[127.0.0.1]:${server.port}`;
    if (knownHosts) writeFileSync(where.knownHosts, knownHosts(name));
    return name;
  }
  const connect = (hostKeys: 'strict' | 'accept-new' = 'strict') =>
    where.host(server.port, { hostKeys }).run('echo in');

  test('to a host known by a hashed name works', async () => {
    await serve((name) => `${hashed(name)} ${KEY}\n`);
    expect((await connect()).stdout).toBe('in\n');
  });

  test('to a host known by one key type works although the server prefers another', async () => {
    await serve((name) => `${name} ${ECDSA}\n`, { hostKeys: [HOST_KEYS.ed25519, HOST_KEYS.ecdsa] });
    expect((await connect()).stdout).toBe('in\n');
  });

  test('to an unknown host is KW220 with its fingerprint, and no file appears', async () => {
    const name = await serve();
    await expect(connect()).rejects.toMatchObject({
      code: 'KW220',
      transient: false,
      host: 'cp-1',
      message: expect.stringMatching(/is not in .*known_hosts; it showed ssh-ed25519 SHA256:/),
      hint: expect.stringContaining(`ssh-keyscan -p ${server.port} 127.0.0.1`),
    });
    expect(name).toContain('127.0.0.1');
    expect(existsSync(where.knownHosts)).toBe(false);
  });

  test('to a changed host is KW221: file, line, the command, and that a person must decide', async () => {
    const name = await serve((known) => `# line one\n${known} ${OTHER}\n`);
    await expect(connect()).rejects.toMatchObject({
      code: 'KW221',
      transient: false,
      message: expect.stringContaining(`${where.knownHosts}:2`),
      hint: expect.stringMatching(/person must decide/),
    });
    await expect(connect()).rejects.toMatchObject({
      hint: expect.stringContaining(`ssh-keygen -f ${where.knownHosts} -R '${name}'`),
    });
  });

  test('to a changed host is refused with accept-new as well, and the file stays as it is', async () => {
    await serve((name) => `${name} ${OTHER}\n`);
    const before = readFileSync(where.knownHosts, 'utf8');
    await expect(connect('accept-new')).rejects.toMatchObject({ code: 'KW221' });
    expect(readFileSync(where.knownHosts, 'utf8')).toBe(before);
  });

  test('to a revoked key is KW222, also with accept-new', async () => {
    await serve(() => `@revoked * ${KEY}\n`);
    await expect(connect()).rejects.toMatchObject({ code: 'KW222', transient: false });
    await expect(connect('accept-new')).rejects.toMatchObject({ code: 'KW222', transient: false });
  });

  test('with a known_hosts that cannot be read is KW223', async () => {
    await serve();
    // A directory: root can read any file, so a mode would prove nothing here.
    mkdirSync(where.knownHosts);
    await expect(connect('accept-new')).rejects.toMatchObject({ code: 'KW223', transient: false });
    expect(server.accepted).toBe(0);
    rmSync(where.knownHosts, { recursive: true });
  });

  // `ssh` passes over such a line, and has no word of its own for a host that only an authority could vouch for.
  const ssh2Test = clientUnderTest() === 'ssh2' ? test : () => undefined;

  ssh2Test('with a malformed line is KW224 and names it, although another line would do', async () => {
    await serve((name) => `${name} ${KEY}\n@revokd * ${KEY}\n`);
    await expect(connect()).rejects.toMatchObject({
      code: 'KW224',
      transient: false,
      message: expect.stringContaining(`${where.knownHosts}:2 (unknown marker @revokd)`),
    });
    expect(server.accepted).toBe(0);
  });

  ssh2Test('to a host behind a certificate authority alone is KW225', async () => {
    await serve(() => `@cert-authority * ${OTHER}\n`);
    await expect(connect()).rejects.toMatchObject({ code: 'KW225', transient: false });
  });

  test('with accept-new notes the key down once, 0600, behind what was there, and is strict from then on', async () => {
    const name = await serve((known) => `${known.replace('127.0.0.1', '127.0.0.2')} ${OTHER}`);
    const before = readFileSync(where.knownHosts, 'utf8');
    await connect('accept-new');
    await connect('accept-new');
    expect(readFileSync(where.knownHosts, 'utf8')).toBe(`${before}\n${name} ${KEY}\n`);
    rmSync(where.knownHosts);
    await connect('accept-new');
    expect(statSync(where.knownHosts).mode & 0o777).toBe(0o600);
    expect((await connect()).stdout).toBe('in\n');
  });

  test('takes what a person mended since without a restart', async () => {
    const name = await serve();
    const host = where.host(server.port);
    await expect(host.run('true')).rejects.toMatchObject({ code: 'KW220' });
    writeFileSync(where.knownHosts, `${name} ${KEY}\n`);
    await host.run('true');
  });
});
