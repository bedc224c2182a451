import { spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { installPacked } from '../package/packed.js';

const ROOT = join(import.meta.dirname, '../..');

/** A strict project of somebody else's; the declarations of all packages are checked, too. */
const PROJECT = {
  compilerOptions: {
    target: 'ES2022',
    module: 'NodeNext',
    moduleResolution: 'NodeNext',
    strict: true,
    skipLibCheck: false,
    outDir: 'out',
  },
};

/** What the build outside of a clone is told; inside it asks git. */
const COMMIT = '0123456ab';

let directory = '';
let outside = '';
let home = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-package-'));
  ({ outside, home } = await installPacked(directory, COMMIT));
}, 600_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Temporal's own declarations name a package whose types no NodeNext project finds. */
function isForeign(line: string): boolean {
  return (
    line.startsWith('node_modules/@temporalio/common/lib/time.d.ts') || line.includes('npm i --save-dev @types/ms')
  );
}

async function filesBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

// Compilers and npm, beside other test files: minutes on a busy machine.
describe('the packed package', { timeout: 240_000 }, () => {
  it('holds what the program reads at run time: the bundles of the workflows, and every file that is not compiled', async () => {
    const packed = await filesBelow(home);
    expect(packed).toContain('dist/workflow-bundle.js');
    expect(packed).toContain('dist/workflow-bundle-encrypted.js');
    for (const name of ['main', 'app', 'topology']) expect(packed).toContain(`dist/src/dashboard/page/${name}.js`);
    for (const folder of ['src', 'lab']) {
      const data = (await filesBelow(join(ROOT, folder))).filter((file) => !/\.[cm]?tsx?$/.test(file));
      expect(data.length).toBeGreaterThan(0);
      expect(packed).toEqual(expect.arrayContaining(data.map((file) => join(folder, file))));
    }
  });

  it('holds nothing else of the clone: no tests, no sources, no maps to them', async () => {
    const packed = (await filesBelow(home)).filter((file) => !file.startsWith('node_modules/'));
    const kinds = /^(bin|dist\/src|dist\/lab|docs|lab|src)\/|^dist\/(workflow-bundle[a-z-]*\.js|build\.json)$/;
    const single = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];
    expect(packed.filter((file) => !kinds.test(file) && !single.includes(file))).toEqual([]);
    expect(packed.filter((file) => /(?<!\.d)\.[cm]?tsx?$|\.map$/.test(file))).toEqual([]);
  });

  it('type-checks a strict script, declarations of all packages included, and runs it', async () => {
    for (const name of ['every.ts', 'print-plan.ts']) await cp(join(ROOT, 'test/package', name), join(outside, name));
    for (const name of await readdir(join(ROOT, 'examples/scripts')))
      await cp(join(ROOT, 'examples/scripts', name), join(outside, name));
    await cp(join(ROOT, 'examples/clusters/minimal.yaml'), join(outside, 'cluster.yaml'));
    await writeFile(join(outside, 'tsconfig.json'), JSON.stringify(PROJECT));
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const { stdout: problems } = await execa('node', [tsc, '-p', '.'], { cwd: outside, reject: false });
    expect(problems.split('\n').filter((line) => line.trim() !== '' && !isForeign(line))).toEqual([]);
    const { stdout } = await execa('node', ['out/print-plan.js'], { cwd: outside });
    expect(stdout).toMatch(/^kubewright \d+\.\d+\.\d+: demo, \d+ steps, 0 warnings$/);
  });

  it('brings the command line', async () => {
    const npx = (...args: string[]) => execa('npx', ['--no-install', 'kubewright', ...args], { cwd: outside });
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const [told, help, valid] = await Promise.all([
      npx('--version'),
      npx('--help'),
      npx('validate', join(ROOT, 'examples/clusters/minimal.yaml')),
    ]);
    expect(told.stdout).toBe(`${version}+${COMMIT}`);
    expect(help.stdout).toContain('kubewright install cluster.yaml');
    expect(valid.exitCode).toBe(0);
  });

  it('brings the thread of the SSH connections, which starts and answers', async () => {
    const hosts = pathToFileURL(join(home, 'dist/src/hosts/index.js')).href;
    const ssh = { address: '127.0.0.1', port: 1, user: 'root', keyFiles: [join(home, 'no-key')], agent: false };
    const settings = {
      ...ssh,
      configFile: '/dev/null',
      knownHostsFile: '/dev/null',
      hostKeys: 'strict',
      bastion: null,
    };
    const cluster = { name: 'demo', hosts: [{ name: 'cp-1', ssh: { ...settings, sudoPasswordEnv: null } }] };
    const script = [
      `import { createHosts, makeSshThread } from '${hosts}';`,
      'const thread = makeSshThread();',
      `const hosts = createHosts(${JSON.stringify(cluster)}, { env: {}, homeDirectory: '/', thread });`,
      'const error = await hosts.get("cp-1").run("true").catch((error) => error);',
      'console.log(thread.constructor.name, error.name, error.code);',
      'await thread.close();',
    ];
    const { stdout } = await execa('node', ['--input-type=module', '-e', script.join('\n')], { cwd: outside });
    // No key there: the thread has looked for it.
    expect(stdout).toBe('SshThread KubewrightError KW211');
  });

  it('brings a worker that takes work from a Temporal server, and drains', async () => {
    const env = {
      ...process.env,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      KUBEWRIGHT_STATE: join(directory, 'state'),
    };
    const worker = spawn('node', [join(home, 'bin/kubewright.mjs'), 'worker'], { env, cwd: outside });
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    let told = '';
    const ready = new Promise<void>((resolve) => {
      worker.stderr.on('data', (chunk) => {
        told += chunk;
        if (told.includes('The worker is ready')) resolve();
      });
    });
    await Promise.race([ready, ended]);
    worker.kill('SIGTERM');
    expect(await ended, told).toBe(0);
    expect(told).toContain('The worker is ready');
  });
});
