import { spawnSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { notRunHere } from '../not-run.js';
import { type RunOptions, runCommand } from './run.js';

const program = fileURLToPath(new URL('./run-program.ts', import.meta.url));
const loader = fileURLToPath(new URL('../../workflow/typescript-loader.mjs', import.meta.url));

let directory = '';
let file = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubewright-init-'));
  file = join(directory, 'cluster.yaml');
});
afterEach(() => rmSync(directory, { recursive: true }));

const init = (argv: string[], options?: RunOptions) => runCommand(['init', file, '--no-look', ...argv], options);
const three = ['--control-planes', '10.0.0.11,10.0.0.12', '--control-planes', 'third=ops@10.0.0.13:2222'];

describe('init with options', () => {
  it('writes a commented file that is right', async () => {
    const argv = [
      ...three,
      '--workers',
      '10.0.0.21',
      '--vip',
      '10.0.0.100',
      '--name',
      'mine',
      '--key-file',
      '~/.ssh/id',
    ];
    const { code, stdout } = await init(argv);
    expect(stdout).toBe(
      `Wrote ${file}: cluster mine with 3 control planes, 1 worker.\nThen: kubewright plan ${file}\n`,
    );
    expect(code).toBe(0);
    await expect(readFileSync(file, 'utf8')).toMatchFileSnapshot('golden/init.yaml');
    expect(await runCommand(['validate', file])).toMatchObject({ code: 0, stderr: '' });
  });

  it('says what a person has to fill in, and exits with 1', async () => {
    const { code, stdout } = await init(three);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /Still to be done in it:\n {2}\S+cluster\.yaml:\d+:\d+: spec\.endpoint has no value \(expected a map with at least vip/,
    );
    expect(readFileSync(file, 'utf8')).toMatch(/^ {4}# vip: 10\.0\.0\.N # fill in a free address$/m);
  });

  it('warns in the file of an even number of control planes', async () => {
    const { code } = await init(['--control-planes', '10.0.0.11,10.0.0.12', '--vip', '10.0.0.100']);
    expect(code).toBe(1);
    expect(readFileSync(file, 'utf8')).toMatch(/# WARNING: 2 control planes make 2 etcd members\..*\n.*take 1 or 3\./);
  });

  it('tells everything that is missing or wrong at once, without a terminal', async () => {
    const { code, stderr } = await init([
      '--workers',
      '10.0.0.300,a=b=c',
      '--vip',
      'x',
      '--name',
      'A_b',
      '--bastion',
      ':1',
    ]);
    expect(code).toBe(2);
    for (const part of [
      'KW110',
      '"10.0.0.300" is no host',
      '"a=b=c" is no host',
      '--vip x',
      '--name A_b',
      '--bastion :1',
      'no control planes',
    ]) {
      expect(stderr).toContain(part);
    }
    expect(readdirSync(directory)).toEqual([]);
  });

  it('refuses what is empty or no value, all at once', async () => {
    const { code, stderr } = await init(['--control-planes', '', '--etcd', ' ,', '--user', 'a b', '--key-file', '']);
    expect(code).toBe(2);
    for (const part of ['--control-planes names no host', '--etcd names no host', '--user "a b"', '--key-file ""']) {
      expect(stderr).toContain(part);
    }
    expect(readdirSync(directory)).toEqual([]);
  });

  it('refuses hosts and --from together', async () => {
    const { code, stderr } = await init([...three, '--from', 'x']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('cannot be used with')]);
  });

  it('never replaces a file by itself; with --force it keeps it, once', async () => {
    writeFileSync(file, 'mine\n');
    const argv = [...three, '--vip', '10.0.0.100'];
    expect(await init(argv)).toMatchObject({ code: 2, stderr: expect.stringMatching(/KW114[\s\S]*--force/) });
    expect(readFileSync(file, 'utf8')).toBe('mine\n');
    const forced = await init([...argv, '--force']);
    const [backup = ''] = readdirSync(directory).filter((name) => name.includes('backup'));
    expect(forced).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`What was there before is in ${join(directory, backup)}.`),
    });
    expect(readFileSync(join(directory, backup), 'utf8')).toBe('mine\n');
    expect((await init([...argv, '--force'])).stdout).toContain('is just so already');
    expect(readdirSync(directory)).toHaveLength(2);
  });

  it('writes to standard output for -, and says the rest elsewhere', async () => {
    const { code, stdout, stderr } = await runCommand(['init', '-f', '-', '--no-look', ...three]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^# Made by [\s\S]*- \{ name: third, address: 10\.0\.0\.13, role: control-plane, ssh: \{ user: ops, port: 2222 \} \}\n$/,
    );
    expect(stderr).toContain('Still to be done in it:');
  });

  it('gives programs the file as text for -, and what validate would warn of', async () => {
    const { code, objects } = await runCommand([
      'init',
      '-',
      '--no-look',
      '--json',
      ...three,
      '--vip',
      '10.0.0.100',
      '--key-file',
      'id',
    ]);
    expect([code, objects.length]).toEqual([0, 2]);
    expect(objects[0]).toMatchObject({
      path: null,
      problems: [],
      notes: [expect.stringMatching(/^spec\.hosts: there is no worker/)],
    });
    expect(objects[0]?.text).toContain(`keyFile: ${join(process.cwd(), 'id')}\n`);
  });

  it('says for a file that is there which option reads one', async () => {
    writeFileSync(file, '[masters]\na\n');
    expect((await runCommand(['init', '-f', file, '--no-look'], { tty: true })).stderr).toMatch(
      /KW114[\s\S]*--from reads/,
    );
  });

  it.each([
    ['a file', 'mine\n'],
    ['nothing', undefined],
  ])('takes a link to %s for a file that is there, and with --force writes where it leads', async (_, content) => {
    const target = join(directory, 'target.yaml');
    if (content !== undefined) writeFileSync(target, content);
    symlinkSync('target.yaml', file);
    const argv = [...three, '--vip', '10.0.0.100'];
    expect(await init(argv)).toMatchObject({ code: 2, stderr: expect.stringContaining('KW114') });
    expect((await init([...argv, '--force'])).code).toBe(0);
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, 'utf8')).toContain('kind: Cluster');
  });

  it('says where it cannot write', async () => {
    const { code, stderr } = await runCommand(['init', join(directory, 'no', 'c.yaml'), '--no-look', ...three]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('KW115')]);
  });
});

describe('init --from', () => {
  const inventory =
    '[masters]\nNode_1 ansible_host=10.0.0.11 ansible_become_password=canary\n[workers]\nw ansible_host=w.example.org\n';

  it('reads a file, tells what it leaves out, and keeps its secrets out', async () => {
    const from = join(directory, 'hosts.ini');
    writeFileSync(from, inventory);
    writeFileSync(join(directory, 'group_vars'), '');
    const { stdout, stderr } = await init(['--from', from, '--vip', '10.0.0.100', '--user', 'ops']);
    expect(stderr).toMatch(/^note: Node_1 is called node-1 here/m);
    expect(stderr).toMatch(/^left out: ansible_become_password of Node_1: a secret/m);
    expect(stderr).toMatch(/^left out: group_vars\/ beside it: /m);
    expect(stdout).toContain('spec.hosts[1].address is missing');
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('- { name: w, role: worker, ssh: { address: w.example.org } }');
    expect(text).toMatch(/^ {2}ssh:\n {4}user: ops # needs sudo$/m);
    expect(text + stderr + stdout).not.toContain('canary');
  });

  it('reads standard input, and names it where it is wrong', async () => {
    const { code, objects } = await init(['--from', '-', '--vip', '10.0.0.100', '--json'], { stdin: inventory });
    expect(code).toBe(1);
    expect(objects[0]).toMatchObject({
      type: 'init',
      path: file,
      hosts: [
        { name: 'node-1', address: '10.0.0.11' },
        { name: 'w', address: null },
      ],
      endpoint: '10.0.0.100',
      problems: [{ file, path: 'spec.hosts[1].address' }],
    });
    const wrong = await init(['--from', '-', '--force'], { stdin: 'a: [' });
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/standard input:1:\d+: [\s\S]*KW111|KW111[\s\S]*standard input:1/),
    ]);
  });

  it('says at a terminal that it reads standard input', async () => {
    const said = 'Reading standard input, up to Ctrl-D';
    const of = (tty: boolean) => init(['--from', '-', '--vip', '10.0.0.100', '--force'], { stdin: inventory, tty });
    expect((await of(true)).stderr).toContain(said);
    expect((await of(false)).stderr).not.toContain(said);
    const validated = await runCommand(['validate', '-f', '-'], { stdin: 'a', tty: true });
    expect(validated.stderr).toContain(said);
  });

  it('leaves out the names for certificates that are none, and keeps the others', async () => {
    const names = `[all:vars]\nsupplementary_addresses_in_ssl_keys=['api.example.org', 'a b', '10.0.0.50', '-']\n`;
    const { stderr } = await init(['--from', '-', '--vip', '10.0.0.100'], { stdin: `${inventory}${names}` });
    expect(stderr).toMatch(/^left out: certificateSANs a b: /m);
    expect(stderr).toMatch(/^left out: certificateSANs -: /m);
    expect(readFileSync(file, 'utf8')).toContain('certificateSANs:\n      - api.example.org\n      - 10.0.0.50\n');
  });

  it('says which file cannot be read', async () => {
    const { code, stderr } = await init(['--from', join(directory, 'none')]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/KW111/)]);
  });
});

describe('init on a terminal', () => {
  /** Answers each question when it is asked. */
  async function answering(answers: string[], argv: string[] = []) {
    const stdin = new PassThrough();
    const asked: string[] = [];
    const onError = (text: string): void => {
      if (!text.endsWith(': ')) return;
      asked.push(text.trim());
      const answer = answers.shift();
      if (answer === undefined) stdin.end();
      else stdin.write(`${answer}\n`);
    };
    const ran = await init(argv, { tty: true, input: stdin, onError });
    return { ...ran, asked };
  }

  it('asks for hosts, name and virtual IP, again where the answer is none', async () => {
    const answers = ['', '10.0.0.300', '10.0.0.11', '10.0.0.21 big=10.0.0.22', 'Mine', 'mine', '10.0.0', '10.0.0.100'];
    const { code, asked, stderr } = await answering(answers);
    expect(asked).toHaveLength(8);
    expect(stderr).toContain('"10.0.0.300" is no host');
    expect(code).toBe(0);
    const text = readFileSync(file, 'utf8');
    for (const part of [
      'name: mine',
      'vip: 10.0.0.100',
      'name: cp-1, address: 10.0.0.11',
      'name: w-1',
      'name: big, address: 10.0.0.22',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('takes what is typed ahead on a real one, and shows it', (context) => {
    const version = spawnSync('script', ['--version'], { encoding: 'utf8' });
    if (!version.stdout?.includes('util-linux')) notRunHere(context, 'there is no script(1) of util-linux');
    const command = `exec ${process.execPath} --import ${loader} ${program} init ${file} --no-look --vip 10.0.0.100`;
    const env = { PATH: process.env.PATH, HOME: directory, TERM: 'xterm', LANG: 'C.UTF-8' };
    const input = '10.0.0.11\n10.0.0.21\nmine\n';
    const ran = spawnSync('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
      input,
      env,
      encoding: 'utf8',
    });
    expect(ran.stdout).toContain(`Wrote ${file}: cluster mine with 1 control plane, 1 worker.`);
    expect(ran.stdout).toMatch(/Control planes \(one, three or five\): /);
    expect(ran.status).toBe(0);
    // A process that has to compile itself first: seconds on a free machine, more on a busy one.
  }, 120_000);

  it('asks nothing for a file whose directory is not there', async () => {
    const elsewhere = join(directory, 'no', 'c.yaml');
    const { code, stderr } = await runCommand(['init', elsewhere, '--no-look'], { tty: true });
    expect([code, stderr]).toEqual([2, expect.stringContaining(`KW115`)]);
    expect(stderr).not.toContain('Control planes (');
  });

  it('asks only for what is not given', async () => {
    expect((await answering([], [...three, '--vip', '10.0.0.100'])).asked).toEqual([]);
    expect((await answering([''], [...three, '--force'])).asked).toEqual([expect.stringMatching(/^Virtual IP/)]);
  });

  it('writes nothing where the input ends', async () => {
    expect(await answering(['10.0.0.11'])).toMatchObject({ code: 130 });
    expect(readdirSync(directory)).toEqual([]);
  });
});
