// What `npm run demo` and `npm test` need before anything else. Plain JavaScript on Node's own modules, because it runs
// before `npm ci` has.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MINIMUM_NODE = [20, 17];

/** Something a person can mend; printed without a stack trace. */
export class SetupError extends Error {}

/** Where a program is, or undefined. Go is also looked for where its own installer puts it. */
export function findProgram(name, path = process.env.PATH ?? '') {
  const directories = [...path.split(delimiter), ...(name === 'go' ? ['/usr/local/go/bin'] : [])];
  return directories
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * What this machine lacks for lab hosts and for building the artifacts, as parts of one sentence; empty when nothing.
 * `facts` is for tests.
 */
export function missingForLab(facts = machineFacts()) {
  const missing = [];
  if (facts.platform !== 'linux') missing.push(`Linux (this is ${facts.platform})`);
  else if (!facts.apt) missing.push('Debian or Ubuntu with apt-get');
  if (!facts.root) missing.push('root (run it with sudo)');
  if (!facts.go) missing.push('Go (https://go.dev/dl)');
  return missing;
}

/** What is missing for anything at all. */
export function missingForAnything(facts = machineFacts()) {
  const [major = 0, minor = 0] = facts.node.split('.').map(Number);
  const old = major < MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor < MINIMUM_NODE[1]);
  return [
    ...(old ? [`Node ${MINIMUM_NODE.join('.')} or newer (this is ${facts.node})`] : []),
    ...(facts.npm ? [] : ['npm']),
  ];
}

export function machineFacts() {
  return {
    platform: process.platform,
    root: process.getuid?.() === 0,
    node: process.versions.node,
    npm: findProgram('npm') !== undefined,
    go: findProgram('go') !== undefined,
    apt: findProgram('apt-get') !== undefined && existsSync('/etc/debian_version'),
  };
}

/** Go's own installer puts it where a root shell does not look; what is started from here shall find it. */
export function useGoFromItsDirectory() {
  const go = findProgram('go');
  const directory = go === undefined ? undefined : dirname(go);
  const path = process.env.PATH ?? '';
  if (directory && !path.split(delimiter).includes(directory)) process.env.PATH = `${path}${delimiter}${directory}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function sentenceOf(parts) {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

/** Runs a program with its output shown, and throws when it does not end well. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new SetupError(`${[command, ...args].join(' ')} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/** Says what is done and how long it took. */
export async function stage(title, work) {
  const started = performance.now();
  console.log(`==> ${title}`);
  const result = await work();
  console.log(`    ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

/** Packages, then the build; each only when something changed since. */
export async function installAndBuild() {
  if (!packagesAreInstalled()) {
    await stage('npm ci', () => run('npm', ['ci', '--no-audit', '--no-fund']));
  }
  const stamp = join(ROOT, 'dist', '.sources');
  const hash = sourcesHash();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) {
    // The same sources may have been committed since, or belong to another commit.
    await run(process.execPath, [join('scripts', 'write-build.mjs')]);
    return;
  }
  await stage('build', () => run('npm', ['run', '--silent', 'build']));
  writeFileSync(stamp, hash);
}

/**
 * Whether node_modules is what package-lock.json says. npm writes node_modules/.package-lock.json last, so an interrupted
 * install does not count; what the lock file calls optional may be missing, for it is not for every machine.
 */
export function packagesAreInstalled(root = ROOT) {
  const wanted = packagesIn(join(root, 'package-lock.json'));
  const installed = packagesIn(join(root, 'node_modules', '.package-lock.json'));
  if (wanted === undefined || installed === undefined) return false;
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional || installed[path]?.version === entry.version,
  );
}

function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** One hash over everything that the build reads. */
function sourcesHash() {
  const hash = createHash('sha256');
  const files = ['package-lock.json', 'package.json', 'tsconfig.json', 'tsconfig.page.json'];
  for (const directory of ['src', 'lab', 'bench', 'test/chaos', 'test/lab/support', 'scripts']) {
    for (const name of readdirSync(join(ROOT, directory), { recursive: true }).sort()) {
      if (/\.(tsx?|mjs)$/.test(name)) files.push(join(directory, name));
    }
  }
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(ROOT, file)))
      .update('\0');
  return hash.digest('hex');
}

/** Installs those of the Debian packages that are not there; asks apt only when one is missing. */
export async function ensureDebianPackages(names) {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  await stage(`apt-get install ${missing.join(' ')}`, async () => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const quiet = { env, stdio: ['ignore', 'ignore', 'inherit'] };
    // Another program may hold apt's lock, on a fresh machine for minutes.
    const patience = ['-o', 'DPkg::Lock::Timeout=600', '-q'];
    await run('apt-get', [...patience, 'update'], quiet);
    await run('apt-get', [...patience, 'install', '-y', '--no-install-recommends', ...missing], quiet);
  });
}

function isInstalled(name) {
  const { stdout } = spawnSync('dpkg-query', ['--status', name], { encoding: 'utf8' });
  return /^Status: .* installed$/m.test(stdout);
}

/** Runs a script's main function; a SetupError is one sentence, anything else keeps its trace. */
export async function main(work) {
  try {
    process.exitCode = (await work()) ?? 0;
  } catch (error) {
    console.error(error instanceof SetupError ? `\nerror: ${error.message}` : error);
    process.exitCode = 1;
  }
}

// `node scripts/setup.mjs`: packages and build alone.
if (process.argv[1] === import.meta.filename) {
  await main(async () => {
    const missing = missingForAnything();
    if (missing.length > 0) throw new SetupError(`This needs ${sentenceOf(missing)}.`);
    useGoFromItsDirectory();
    await installAndBuild();
  });
}
