import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Evaluated, evaluate } from '../../../../src/hosts/connection/ssh-config/evaluate.js';

let home: string;

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'kubewright-config-'));
  mkdirSync(path.join(home, '.ssh'));
  mkdirSync(path.join(home, 'etc'));
});
afterEach(() => rmSync(home, { recursive: true }));

function put(name: string, text: string): string {
  const file = path.join(home, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function ask(text: string, host = 'cp-1', more: { system?: string; env?: NodeJS.ProcessEnv } = {}): Evaluated {
  const users = { file: put('.ssh/config', text), isUsers: true, mayBeMissing: true };
  const system = { file: path.join(home, 'etc/ssh_config'), isUsers: false, mayBeMissing: true };
  if (more.system !== undefined) writeFileSync(system.file, more.system);
  return evaluate([users, system], {
    host,
    defaultUser: 'root',
    localUser: 'me',
    homeDirectory: home,
    env: more.env ?? {},
  });
}

const value = (found: Evaluated, keyword: string): string | undefined => found.settings.get(keyword)?.values.join(' ');

/** What it is refused for, and where. */
function refusal(text: string, host?: string, more?: Parameters<typeof ask>[2]): string {
  try {
    ask(text, host, more);
  } catch (error) {
    const { place, message, openssh } = error as { place: { line: number }; message: string; openssh: boolean };
    return `${place.line}: ${message}${openssh ? ' [openssh]' : ''}`;
  }
  return 'taken';
}

describe('Match', () => {
  test('host is matched with what HostName gave, however HostName is written', () => {
    for (const keyword of ['HostName', 'Hostname', 'hostname', 'HOSTNAME']) {
      const found = ask(`Host cp-1\n  ${keyword} 10.88.0.11\nMatch host 10.88.0.*\n  User ops\n  ProxyJump bastion\n`);
      expect([found.hostName, value(found, 'user'), value(found, 'proxy')]).toEqual(['10.88.0.11', 'ops', 'bastion']);
    }
  });

  test('with a negated criterion', () => {
    const text = 'Match host cp-* !localuser deploy\n  User ops\nMatch host cp-* !localuser me\n  Port 7\n';
    expect(value(ask(text), 'user')).toBe('ops');
    expect(value(ask(text), 'port')).toBeUndefined();
  });

  test('final reads everything again, and Host is then matched with the name that was found', () => {
    const text = 'Host cp-1\n  HostName cp-1.example.org\nMatch final\n  Port 7\nHost *.example.org\n  User late\n';
    const found = ask(text);
    expect([value(found, 'port'), value(found, 'user')]).toEqual(['7', 'late']);
    expect(value(ask(text.replace('Match final', 'Match user nobody')), 'user')).toBeUndefined();
  });

  test.each([
    ['exec "true"', 'Match exec'],
    ['localnetwork 10.88.0.0/16', 'Match localnetwork'],
    ['tagged lab', 'Match tagged'],
    ['!exec "true"', 'Match exec'],
  ])('%s never counts as no in silence', (criterion, name) => {
    const said = refusal(`Port 1\nMatch ${criterion}\n  User ops\n`);
    expect(said).toBe(
      `2: whether \`${name}\` holds is not asked, for that may take a program, and user depends on it [openssh]`,
    );
    // What cannot matter is not asked: another criterion decides, the value is there already, or nothing of ours depends on it.
    expect(refusal(`Match host other ${criterion}\n  User ops\n`)).toBe('taken');
    expect(refusal(`Match ${criterion} host other\n  User ops\n`)).toBe('taken');
    expect(refusal(`User first\nMatch ${criterion}\n  User ops\n  ForwardX11 yes\n`)).toBe('taken');
  });

  test('that nobody knows is refused', () => {
    expect(refusal('Match colour blue\n  User ops\n')).toBe('1: Match colour is not known');
  });
});

describe('Include', () => {
  test('with wildcards in a folder, blanks, quotes and variables, at any depth', () => {
    put('.ssh/projects/one/config', 'IdentityFile one\n');
    put('.ssh/projects/two/config', 'IdentityFile two\nInclude "my clusters/*"\n');
    put('.ssh/my clusters/demo', 'IdentityFile three\n');
    put('elsewhere/x', 'IdentityFile four\n');
    const found = ask(`Include ~/.ssh/projects/*/config "\${DIR}/x"\n`, 'cp-1', { env: { DIR: `${home}/elsewhere` } });
    expect(found.identityFiles.map(({ values }) => values[0])).toEqual(['one', 'two', 'three', 'four']);
    expect(found.identityFiles[2]?.place).toEqual({ file: `${home}/.ssh/my clusters/demo`, line: 1 });
  });

  test('ends its blocks with the file, and is bound by the block around it', () => {
    put('.ssh/part', 'Host other\n  User wrong\n');
    expect(value(ask('Include part\nUser right\n'), 'user')).toBe('right');
    put('.ssh/part', 'Host *\n  User wrong\n');
    expect(value(ask('Host other\n  Include part\nHost *\n  User right\n'), 'user')).toBe('right');
  });

  test('in a block of which nobody knows whether it applies', () => {
    put('.ssh/part', 'Host cp-1\n  User ops\n');
    expect(refusal('Match exec true\n  Include part\n')).toContain('1: whether `Match exec` holds');
  });

  test.each([
    ['a file that cannot be read', 'Include loop\n', /too many nested/],
    ['a token', 'Include %d/x\n', /token/],
    ['a variable that is not set', `Include \${NO_SUCH}/x\n`, /NO_SUCH/],
  ])('of %s is refused', (_title, text, message) => {
    put('.ssh/loop', 'Include loop\n');
    expect(refusal(text)).toMatch(message);
  });
});

describe('what would take a program or a look-up in the network', () => {
  test.each([
    'KnownHostsCommand /usr/bin/keys %H',
    'PKCS11Provider /usr/lib/pkcs11.so',
    'RevokedHostKeys /etc/ssh/revoked',
    'BindAddress 10.0.0.1',
    'BindInterface tun0',
    'PubkeyAuthentication no',
    'RefuseConnection no',
  ])('%s is refused with its line, where it applies', (line) => {
    expect(refusal(`\nHost cp-1\n  ${line}\n`)).toMatch(/^3: .*is not supported by the built-in client \[openssh\]$/);
    expect(refusal(`Host other\n  ${line}\n`)).toBe('taken');
  });

  test.each(['KnownHostsCommand none', 'PKCS11Provider none', 'PubkeyAuthentication yes', 'CanonicalizeHostname no'])(
    '%s changes nothing',
    (line) => expect(refusal(`${line}\n`)).toBe('taken'),
  );

  test('CanonicalizeHostname is refused only where ssh would ask the network', () => {
    const text = 'CanonicalizeHostname yes\nCanonicalDomains example.org\nHost *.example.org\n  User ops\n';
    expect(refusal(text)).toContain('1: canonicalizehostname yes is not supported');
    expect(refusal(text.replace('yes', 'always'))).toContain('1: canonicalizehostname always');
    expect(refusal(text, '10.88.0.11')).toBe('taken');
    expect(refusal(text, 'a.b.example.org')).toBe('taken');
    expect(refusal(`ProxyJump gate\n${text}`)).toBe('taken');
    expect(refusal(`ProxyJump gate\n${text.replace('yes', 'always')}`)).toContain('2: canonicalizehostname always');
    expect(refusal(`Host *\n  ${text}`)).toContain('2: canonicalizehostname yes');
    // As in ssh the files are read again then, with the name that HostName gave.
    expect(value(ask(`Host cp-1\n  HostName cp.a.example.org\n${text}`), 'user')).toBe('ops');
    expect(refusal('CanonicalizePermittedCNAMEs *:*.example.org\n')).toContain('1: canonicalizepermittedcnames');
  });
});

describe('a keyword', () => {
  test('that nobody knows is refused where it applies, unless IgnoreUnknown names it', () => {
    expect(refusal('Host cp-1\n  HostNmae 10.0.0.1\n')).toBe(
      '2: hostnmae is not a keyword that Kubewright knows [openssh]',
    );
    expect(refusal('Host other\n  HostNmae 10.0.0.1\n')).toBe('taken');
    expect(refusal('IgnoreUnknown Use*,HostNmae\nHost cp-1\n  HostNmae 10.0.0.1\n')).toBe('taken');
  });

  test.each([
    ['User', '1: User has no argument'],
    ['User "ops', '1: a quote is not closed in "\\"ops"'],
    ['User a b', '1: user has too many arguments'],
    ['User ""', '1: user has no argument'],
    ['HostName %z', '1: the token %z in %z is not supported here [openssh]'],
  ])('%s is refused as ssh refuses it', (text, said) => expect(refusal(`${text}\n`)).toBe(said));

  test('of the distributions that does not matter here is passed over', () => {
    const system = `Include ${home}/etc/ssh_config.d/*.conf\nHost *\n  SendEnv LANG LC_*\n  HashKnownHosts yes\n  GSSAPIAuthentication yes\n`;
    put('etc/ssh_config.d/50-redhat.conf', 'Match final all\n  Include crypto\n  ForwardX11Trusted yes\n');
    put('etc/crypto', 'Ciphers aes256-gcm@openssh.com\nPubkeyAcceptedAlgorithms +ssh-rsa\n');
    expect(refusal('', 'cp-1', { system })).toBe('taken');
  });
});

test("the system's file comes after the user's", () => {
  const found = ask('Host cp-1\n  User mine\n', 'cp-1', { system: 'User theirs\nPort 2222\n' });
  expect([value(found, 'user'), value(found, 'port')]).toEqual(['mine', '2222']);
  expect(found.settings.get('port')?.place).toEqual({ file: `${home}/etc/ssh_config`, line: 2 });
});

test('a key that is named twice counts once', () => {
  const found = ask(
    'Host *\n  IdentityFile ~/a\nHost cp-*\n  IdentityFile ~/b\n  IdentityFile ~/a\nMatch final all\n  Port 1\n',
  );
  expect(found.identityFiles.map(({ values }) => values[0])).toEqual(['~/a', '~/b']);
});
