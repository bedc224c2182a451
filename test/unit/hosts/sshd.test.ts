import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, type TestContext, test } from 'vitest';
import type { SshSettings } from '../../../src/cluster/types.js';
import { needsOpenssh, Sshd } from './openssh/sshd.js';
import { Surroundings } from './ssh-server.js';

/** The built-in client against OpenSSH's own server, set up as people set it up. */
let where: Surroundings;
const servers: Sshd[] = [];

beforeEach(() => {
  where = new Surroundings();
});
afterEach(async () => {
  await where.end();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function serve(context: TestContext, lines: (sshd: Sshd) => string): Promise<Sshd> {
  needsOpenssh(context, 'sshd');
  const sshd = await Sshd.start(lines);
  servers.push(sshd);
  appendFileSync(where.knownHosts, sshd.knownAs);
  return sshd;
}

const host = (sshd: Sshd, ssh: Partial<SshSettings> = {}) =>
  where.host(sshd.port, { client: 'ssh2', user: sshd.user, keyFiles: [sshd.keyFile], ...ssh });

for (const most of [1, 2]) {
  test(`MaxSessions ${most}: scripts side by side all come to their end, again and again`, async (context) => {
    const there = host(await serve(context, () => `MaxSessions ${most}`));
    for (let round = 0; round < 3; round += 1) {
      const running = Array.from({ length: 6 }, (_, index) => there.run(`sleep 0.1; echo ${index}`, { root: false }));
      expect((await Promise.all(running)).map(({ stdout }) => Number(stdout))).toEqual([0, 1, 2, 3, 4, 5]);
    }
  });
}

test('a login that is unfriendly and honest serves: no terminal, no sftp, a banner, files that talk and hide what is made', async (context) => {
  const sshd = await serve(context, (each) => {
    writeFileSync(each.file('banner'), 'Authorised use only!\n');
    writeFileSync(each.file('profile'), 'echo noise\numask 077\n');
    const environment = `SetEnv BASH_ENV=${each.file('profile')} CDPATH=/`;
    return `PermitTTY no\nPrintMotd yes\nBanner ${each.file('banner')}\n${environment}`;
  });
  for (const client of ['ssh2', 'openssh'] as const) {
    const there = host(sshd, { client });
    const script = `bash -c 'cd etc && pwd'; umask; cat`;
    const { stdout } = await there.run(script, { input: 'input', root: false });
    expect({ client, stdout }).toEqual({ client, stdout: '/etc\n0022\ninput' });
  }
});

test('MaxSessions 0 is KW244', async (context) => {
  const there = host(await serve(context, () => 'MaxSessions 0'));
  await expect(there.run('true')).rejects.toMatchObject({ code: 'KW244', transient: false });
});

test('a bastion with AllowTcpForwarding no is KW243', async (context) => {
  const sshd = await serve(context, () => 'AllowTcpForwarding no');
  const bastion = { address: '127.0.0.1', port: sshd.port, user: sshd.user, keyFiles: [sshd.keyFile] };
  await expect(host(sshd, { bastion, port: 1 }).run('true')).rejects.toMatchObject({ code: 'KW243', transient: false });
});

test('a bastion that cannot reach the host is KW201, which goes on by itself', async (context) => {
  const sshd = await serve(context, () => '');
  const bastion = { address: '127.0.0.1', port: sshd.port, user: sshd.user, keyFiles: [sshd.keyFile] };
  await expect(host(sshd, { bastion, port: 1 }).run('true')).rejects.toMatchObject({ code: 'KW201', transient: true });
});

test('a key and a password is KW242', async (context) => {
  const sshd = await serve(context, () => 'PasswordAuthentication yes\nAuthenticationMethods publickey,password');
  await expect(host(sshd).run('true')).rejects.toMatchObject({
    code: 'KW242',
    message: expect.stringContaining('it also wants password, which Kubewright cannot give'),
  });
});

test("a cloud image's authorized_keys is KW245", async (context) => {
  const sshd = await serve(context, (each) => `AuthorizedKeysFile ${each.file('keys')}`);
  const forced = `no-port-forwarding,command="echo 'Please login as the user \\"debian\\" rather than the user \\"root\\".';echo;exit 142"`;
  writeFileSync(sshd.file('keys'), `${forced} ${readFileSync(`${sshd.keyFile}.pub`, 'utf8')}`);
  await expect(host(sshd).run('true', { root: false })).rejects.toMatchObject({
    code: 'KW245',
    output: 'Please login as the user "debian" rather than the user "root".',
    hint: expect.stringContaining('`ssh.user: debian`'),
  });
});

test('a ForceCommand is KW235 with what it prints', async (context) => {
  const there = host(await serve(context, () => 'ForceCommand echo This host is closed.; exit 3'));
  await expect(there.run('true', { root: false })).rejects.toMatchObject({
    code: 'KW235',
    output: 'This host is closed.',
    message: expect.stringContaining('exit code 3'),
  });
});

test('MaxAuthTries says how many keys are too many', async (context) => {
  const sshd = await serve(context, () => 'MaxAuthTries 1');
  await expect(host(sshd, { keyFiles: [where.keyFile, sshd.keyFile] }).run('true')).rejects.toMatchObject({
    code: 'KW210',
    hint: expect.stringMatching(/takes 1 keys at most and 1 were left/),
  });
});
