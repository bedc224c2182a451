import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildOf, versionOf } from '../../../src/build.js';
import { VERSION } from '../../../src/version.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
// Plain JavaScript without types, because it runs before anything is installed.
const setup = await import(join(root, 'scripts', 'setup.mjs'));
const test = await import(join(root, 'scripts', 'test.mjs'));
const rotation = await import(join(root, 'scripts', 'rotation.mjs'));

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-scripts-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('what a machine lacks', () => {
  const whole = { platform: 'linux', root: true, node: '22.11.0', npm: true, go: true, apt: true };

  it('is nothing on a fresh Debian with Node, Go and root', () => {
    expect([...setup.missingForAnything(whole), ...setup.missingForLab(whole)]).toEqual([]);
  });

  it('is named in one sentence, all of it', () => {
    const facts = { platform: 'darwin', root: false, node: '18.20.1', npm: false, go: false, apt: false };
    const missing = [...setup.missingForAnything(facts), ...setup.missingForLab(facts)];
    expect(setup.sentenceOf(missing)).toBe(
      'Node 20.17 or newer (this is 18.20.1), npm, Linux (this is darwin), root (run it with sudo) and Go (https://go.dev/dl)',
    );
    expect(setup.missingForLab({ ...whole, apt: false })).toEqual(['Debian or Ubuntu with apt-get']);
    expect(setup.missingForAnything({ ...whole, node: '20.10.0' })).toHaveLength(1);
    expect(setup.missingForAnything({ ...whole, node: '20.17.0' })).toEqual([]);
  });

  it('is said by the demo itself, before npm ci and without touching anything', async () => {
    await cp(join(root, 'scripts'), join(directory, 'scripts'), { recursive: true });
    // A PATH with Node alone: no npm, no Go, no apt-get.
    await mkdir(join(directory, 'bin'));
    await writeFile(join(directory, 'bin', 'node'), `#!/bin/sh\nexec ${process.execPath} "$@"\n`);
    await chmod(join(directory, 'bin', 'node'), 0o755);
    const env = { PATH: join(directory, 'bin') };
    const { status, stderr, stdout } = spawnSync(process.execPath, ['scripts/demo.mjs'], {
      cwd: directory,
      env,
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^\nerror: The demo needs npm.+\.\n$/);
  });

  it('refuses options that it does not know', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/demo.mjs', '--topology', 'ring'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toContain('--topology is stacked or external-etcd, not ring');
  });
});

describe('package-lock.json', () => {
  it('lists the optional packages of every platform: npm ci refuses it otherwise, on any of them', async () => {
    const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
    const missing = Object.entries<{ optionalDependencies?: object }>(packages).flatMap(([path, entry]) =>
      Object.keys(entry.optionalDependencies ?? {}).filter(
        (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
      ),
    );
    expect(missing).toEqual([]);
  });

  it('names no registry', async () => {
    expect(await readFile(join(root, 'package-lock.json'), 'utf8')).not.toContain('"resolved"');
  });

  it('has an answer for each install script: npm 11 asks a newcomer about those without one', async () => {
    const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
    const { allowScripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const withScript = Object.entries<{ hasInstallScript?: boolean }>(packages)
      .filter(([, entry]) => entry.hasInstallScript)
      .map(([path]) => path.replace(/^.*node_modules\//, ''));
    expect(Object.keys(allowScripts).sort()).toEqual([...new Set(withScript)].sort());
  });
});

describe('the build', () => {
  it('leaves nothing in dist/ whose source is gone', async () => {
    const { prune } = await import(join(root, 'scripts', 'prune-dist.mjs'));
    const write = async (file: string) => {
      await mkdir(join(directory, file, '..'), { recursive: true });
      await writeFile(join(directory, file), '');
    };
    const kept = [
      'src/a.js',
      'src/a.d.ts',
      'src/a.js.map',
      'src/codec/b.cjs',
      'src/codec/b.d.cts',
      'src/page/c.js',
      'workflow-bundle.js',
    ];
    const gone = ['src/old.js', 'lab/artifacts/old.js', 'lab/artifacts/old.d.ts', 'lab/artifacts/old.js.map'];
    for (const file of [
      'src/a.ts',
      'src/codec/b.cts',
      'src/page/c.tsx',
      ...[...kept, ...gone].map((file) => join('dist', file)),
    ]) {
      await write(file);
    }
    prune(directory);
    const left = await readdir(join(directory, 'dist'), { recursive: true });
    expect(left.sort()).toEqual([...kept, 'src', 'src/codec', 'src/page'].sort());
  });
});

describe('the commit of a build', () => {
  const commit = { KUBEWRIGHT_COMMIT: '0123456ab' };
  const git = (...args: string[]) => {
    const who = ['-c', 'user.name=t', '-c', 'user.email=t@t', '-c', 'commit.gpgsign=false'];
    const { status, stdout, stderr } = spawnSync('git', ['-C', directory, ...who, ...args], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    return stdout.trim();
  };

  it('is that of the clone, and says when something is not committed', async () => {
    const { commitOf, writeBuild } = await import(join(root, 'scripts', 'write-build.mjs'));
    git('init', '--quiet');
    await writeFile(join(directory, '.gitignore'), 'dist/\n');
    git('add', '.');
    git('commit', '--quiet', '--message', 'x');
    const head = git('rev-parse', '--short=9', 'HEAD');
    expect(commitOf(directory, commit)).toBe(head);
    writeBuild(directory, {});
    expect(buildOf(pathToFileURL(join(directory, 'dist', 'build.json')))).toBe(`${VERSION}+${head}`);
    await writeFile(join(directory, 'new.ts'), '');
    writeBuild(directory, {});
    expect(buildOf(pathToFileURL(join(directory, 'dist', 'build.json')))).toBe(`${VERSION}+${head}.dirty`);
  });

  it('is not that of another repository around it, but what a variable says, or none', async () => {
    const { commitOf, writeBuild } = await import(join(root, 'scripts', 'write-build.mjs'));
    git('init', '--quiet');
    git('commit', '--quiet', '--allow-empty', '--message', 'x');
    const inside = join(directory, 'node_modules', 'kubewright');
    await mkdir(join(inside, 'dist'), { recursive: true });
    expect(commitOf(inside, {})).toBeUndefined();
    expect(commitOf(inside, { KUBEWRIGHT_COMMIT: 'main; rm -rf /' })).toBeUndefined();
    writeBuild(inside, commit);
    const file = pathToFileURL(join(inside, 'dist', 'build.json'));
    expect(buildOf(file)).toBe(`${VERSION}+0123456ab`);
    // A later build that knows none takes away what an earlier one said.
    writeBuild(inside, {});
    expect(buildOf(file)).toBe(VERSION);
    expect(versionOf(`${VERSION}+0123456ab.dirty`)).toBe(VERSION);
  });
});

describe('installed packages', () => {
  const lock = (versions: Record<string, object>) => JSON.stringify({ packages: { '': {}, ...versions } });

  it('count when they are what the lock file says, whatever is optional', async () => {
    await mkdir(join(directory, 'node_modules'));
    await writeFile(
      join(directory, 'package-lock.json'),
      lock({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0', optional: true } }),
    );
    expect(setup.packagesAreInstalled(directory)).toBe(false);
    const installed = join(directory, 'node_modules', '.package-lock.json');
    await writeFile(installed, lock({ 'node_modules/a': { version: '1.0.0' } }));
    expect(setup.packagesAreInstalled(directory)).toBe(true);
    await writeFile(installed, lock({ 'node_modules/a': { version: '0.9.0' } }));
    expect(setup.packagesAreInstalled(directory)).toBe(false);
    await writeFile(installed, '{"packages": {');
    expect(setup.packagesAreInstalled(directory)).toBe(false);
  });
});

describe('the sum of the reports', () => {
  const report = { success: true, numPassedTests: 3, numFailedTests: 0, numPendingTests: 1, testResults: [] };

  it('adds passed, failed and skipped', () => {
    const failed = { ...report, success: false, numFailedTests: 2 };
    expect(test.sum([report, failed])).toEqual({ passed: 6, failed: 2, skipped: 2 });
  });

  it('counts a file that could not be loaded, and a run that failed outside of its tests', () => {
    const unloaded = { ...report, success: false, testResults: [{ status: 'failed', assertionResults: [] }] };
    expect(test.sum([unloaded])).toMatchObject({ failed: 1 });
    expect(test.sum([{ ...report, success: false }])).toMatchObject({ failed: 1 });
  });

  it('ends with what failed, why and where: sometimes the end of a log is all that is kept', () => {
    const failureMessages = [
      `AssertionError: expected 1 to be 2\n    at Proxy.<anonymous> (/somewhere/node_modules/x.js:1:1)\n    at ${root}/test/unit/a.test.ts:7:3`,
    ];
    const assertionResults = [{ status: 'failed', fullName: 'a thing is two', failureMessages }];
    const failed = { testResults: [{ name: join(root, 'test/unit/a.test.ts'), status: 'failed', assertionResults }] };
    expect(test.failures([failed])).toEqual([
      'failed: test/unit/a.test.ts: a thing is two\n    AssertionError: expected 1 to be 2\n    at test/unit/a.test.ts:7:3',
    ]);
  });
});

describe('the expensive lab files take turns', () => {
  /** Commits in a row, one for each turn. */
  const inARow = Array.from({ length: rotation.TURNS.length }, (_, index) => 100 + index);

  it('each is run by one of so many commits in a row as there are turns, and each is a file that there is', () => {
    const files = rotation.TURNS.flat().map((name: string) => `test/lab/${name}.test.ts`);
    for (const file of files) {
      expect(existsSync(join(root, file)), file).toBe(true);
      const runs = inARow.filter((commits) => !rotation.leftOut(commits).includes(file));
      expect(runs, file).toHaveLength(1);
    }
  });

  it('a run has the bundles of the versions that its files install', () => {
    for (const [name, version] of Object.entries<string>(rotation.OTHER_VERSIONS)) {
      const text = readFileSync(join(root, `test/lab/${name}.test.ts`), 'utf8');
      expect(text).toContain(`expectInstalls('${version}')`);
      const turn = inARow.filter((commits) => rotation.otherVersions(rotation.leftOut(commits)).includes(version));
      expect(turn, name).toHaveLength(1);
    }
    expect(rotation.otherVersions([])).toEqual(Object.values(rotation.OTHER_VERSIONS));
  });

  it('a run that installs on two architectures has the bundles of both', () => {
    const wanting = inARow.filter((commits) => rotation.needsOtherArchitecture(rotation.leftOut(commits)));
    expect(wanting).toHaveLength(1);
    expect(rotation.needsOtherArchitecture([])).toBe(true);
    expect(existsSync(join(root, `test/lab/${rotation.TWO_ARCHITECTURES}.test.ts`))).toBe(true);
  });

  it('nobody takes turns where the commits cannot be counted', () => {
    const [first] = rotation.TURNS.flat();
    expect(rotation.leftOut(undefined)).not.toContain(`test/lab/${first}.test.ts`);
  });

  it('what `test:all` alone runs is left out of every other run', () => {
    expect(existsSync(join(root, 'test/lab/conformance.test.ts'))).toBe(true);
    for (const commits of [...inARow, undefined]) {
      expect(rotation.leftOut(commits)).toContain('test/lab/conformance.test.ts');
    }
  });
});

describe('the selection', () => {
  it('takes projects out of the arguments and leaves the rest to vitest', () => {
    expect(test.selection([])).toEqual({ projects: ['unit', 'workflow', 'lab'], rest: [] });
    expect(test.selection(['--project', 'lab', '-t', 'join', '--project=unit', 'x.test.ts'])).toEqual({
      projects: ['lab', 'unit'],
      rest: ['-t', 'join', 'x.test.ts'],
    });
  });
});

describe('bin/kubewright.mjs', () => {
  it('says in one sentence what to do when it is not built', async () => {
    await mkdir(join(directory, 'bin'));
    await cp(join(root, 'bin', 'kubewright.mjs'), join(directory, 'bin', 'kubewright.mjs'));
    const { status, stderr } = spawnSync(process.execPath, [join(directory, 'bin', 'kubewright.mjs')], {
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toBe('kubewright is not built: run `npm ci && npm run build` in its directory first.\n');
  });
});

describe('.ci/run', () => {
  /** Runs it with stand-ins for node, npm and npx, which say how they were called. */
  async function ci(npm: string, npx = 'exit 0') {
    const bin = join(directory, 'bin');
    await mkdir(join(directory, '.ci'), { recursive: true });
    await mkdir(bin, { recursive: true });
    await cp(join(root, '.ci', 'run'), join(directory, '.ci', 'run'));
    for (const [name, script] of Object.entries({ node: 'exit 0', npm, npx })) {
      await writeFile(join(bin, name), `#!/bin/sh\necho "called: ${name} $*"\n${script}\n`, { mode: 0o755 });
    }
    const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: directory, TMPDIR: directory };
    const { status, stdout } = spawnSync('bash', ['--norc', join(directory, '.ci', 'run')], { env, encoding: 'utf8' });
    return { status, lines: stdout.trimEnd().split('\n') };
  }

  it("ends with the count that the README's test command printed, alone on its line", async () => {
    const { status, lines } = await ci('echo "12 passed, 0 failed, 1 skipped"');
    expect(status).toBe(0);
    expect(lines.at(-1)).toBe('12 passed, 0 failed, 1 skipped');
    expect(lines).toContain('called: npm test');
    expect(lines.filter((line) => /^ +\d+ s {2}/.test(line))).toHaveLength(6);
  });

  it('fails with failed tests, and still ends with the count', async () => {
    const { status, lines } = await ci('echo "12 passed, 3 failed"; exit 1');
    expect(status).toBe(1);
    expect(lines.at(-1)).toBe('12 passed, 3 failed');
  });

  it('fails before any test when the lint fails', async () => {
    const { status, lines } = await ci('echo "12 passed, 0 failed"', 'exit 4');
    expect(status).toBe(4);
    expect(lines).not.toContain('called: npm test');
  });
});
