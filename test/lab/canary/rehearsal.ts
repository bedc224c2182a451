import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execa, type ResultPromise } from 'execa';
import { type Lab, labUp } from '../../../lab/hosts/index.js';
import { ensureBundle } from '../../../src/artifacts/bundle.js';
import { DEFAULTS } from '../../../src/cluster/defaults.js';
import { connect, describeRun, type Engine, type RunSnapshot } from '../../../src/engine/index.js';
import { PROGRAM } from '../support/root.js';
import { argumentLists, hostRoot, type Minted, mintedSecrets, Sampler, tokensInEtcd } from './samplers.js';
import { Secrets } from './secrets.js';
import { describeTexts, detailTexts, historyTexts } from './temporal.js';

/** Text of the noisy kubeadm; `@MARKER@` is replaced by an ordinary word that the search has to find. */
const NOISY_KUBEADM = new URL('./noisy-kubeadm.sh', import.meta.url);

/** The lab's name and the cluster's. */
const NAME = 'canary';
/** The control plane whose kubeadm tells everything. */
const NOISY_HOST = 'cp-3';
export const BLOCKED = `${NOISY_HOST}/join`;

/** An install with planted secrets, and all that was seen of it from outside while it ran. */
export class Rehearsal {
  readonly secrets = new Secrets();
  readonly marker = `ordinary-word-${randomBytes(6).toString('hex')}`;
  readonly minted: Minted = { tokens: new Set(), certificateKeys: new Set() };
  readonly #arguments = new Set<string>();
  readonly #described = new Set<string>();
  readonly #details = new Set<string>();
  readonly #samplers: Sampler[] = [];
  readonly #processes: ResultPromise[] = [];
  readonly #over = new AbortController();
  #engine: Engine | undefined;

  private constructor(
    readonly lab: Lab,
    /** Holds everything that this test makes on this machine. */
    private readonly work: string,
    readonly bundle: string,
    readonly password: string,
  ) {}

  static async up(): Promise<Rehearsal> {
    // Its first half has only letters and digits, so no quoting changes it; its second half has what quoting is for.
    const password = `canary${randomBytes(8).toString('hex')}$'"\\ ${randomBytes(10).toString('hex')}`;
    const bundle = await ensureBundle({
      version: DEFAULTS.kubernetes.version,
      arch: process.arch === 'arm64' ? 'arm64' : 'amd64',
    });
    const kinds = Object.fromEntries(['cp-1', 'cp-2', 'cp-3'].map((name) => [name, ['sudo-password' as const]]));
    const lab = await labUp({ name: NAME, hosts: 3, kinds, sudoPassword: password, replace: true });
    const work = await mkdtemp(join(tmpdir(), 'kubewright-canary-'));
    for (const name of ['state', 'seen', 'temporary', 'private']) await mkdir(join(work, name), { mode: 0o700 });
    return new Rehearsal(lab, work, bundle, password);
  }

  async down(): Promise<void> {
    this.#over.abort(new Error('the rehearsal is over'));
    await Promise.allSettled(this.#samplers.map((sampler) => sampler.stop()));
    await this.#engine?.close();
    for (const each of this.#processes) each.kill('SIGTERM');
    await Promise.allSettled(this.#processes);
    await this.kubewright(['server', 'stop']);
    await this.lab.down();
    await rm(this.work, { recursive: true, force: true });
  }

  /** State directory of the embedded Temporal server: database, records, logs. */
  get state(): string {
    return join(this.work, 'state');
  }

  /** What TMPDIR names for the command line, the worker and the server. */
  get temporary(): string {
    return join(this.work, 'temporary');
  }

  /** Everything that was seen: terminals, histories, descriptions, argument lists, journals; a file each. */
  get seen(): string {
    return join(this.work, 'seen');
  }

  get engine(): Engine {
    if (this.#engine === undefined) throw new Error('nothing was installed yet');
    return this.#engine;
  }

  /** Where patterns, kubeconfigs and files for later lie; nobody searches here. */
  private(name: string): string {
    return join(this.work, 'private', name);
  }

  /** Runs the command line, with all of its output kept. Fails never: what it says is what is looked at. */
  async kubewright(args: string[]): Promise<{ exitCode: number | undefined; all: string }> {
    const { exitCode, all } = await this.#start(process.execPath, [PROGRAM, ...args, '--state-dir', this.state]);
    await appendFile(join(this.seen, 'terminal-plain'), `$ kubewright ${args.join(' ')}\n${all}\n`);
    return { exitCode, all: String(all) };
  }

  /**
   * Installs on a pseudo-terminal, watched by another command in JSON; one step is made to fail and to tell everything,
   * `whileBlocked` looks at that, and then the cause is mended and the step retried.
   */
  async install(whileBlocked: () => Promise<void>): Promise<void> {
    this.#sample(200, () => argumentLists(this.#arguments));
    for (const host of this.lab.hosts) {
      const root = await hostRoot(host);
      this.#sample(200, () => mintedSecrets(root, this.minted));
    }
    const command = [process.execPath, PROGRAM, 'install', this.lab.files.clusterFile, '--state-dir', this.state];
    // util-linux's script(1) gives a pseudo-terminal; it is essential on Debian and Ubuntu.
    const shell = `stty cols 160 rows 50; exec ${command.join(' ')}`;
    const install = this.#start('script', ['--quiet', '--return', '--command', shell, join(this.seen, 'terminal-pty')]);
    const ended = install.then(({ exitCode, all }) => {
      throw new Error(`the install ended too early, with ${exitCode}:\n${String(all).slice(-3_000)}`);
    });
    ended.catch(() => undefined);
    await Promise.race([ended, this.#untilServed()]);
    this.#engine = await connect({ stateDir: this.state, env: this.#environment() });
    this.#sample(200, async () => collect(this.#described, await describeTexts(this.engine, `cluster/${NAME}`)));
    this.#sample(1_000, async () => collect(this.#details, await detailTexts(this.engine, `cluster/${NAME}`)));
    await Promise.race([ended, this.#until(() => true)]);
    const watch = this.#start(process.execPath, [
      PROGRAM,
      'watch',
      NAME,
      '--wait',
      '--json',
      '--state-dir',
      this.state,
    ]);
    await Promise.race([ended, this.#until((now) => stateOf(now, `${NOISY_HOST}/binaries`) === 'done')]);
    await this.#makeNoisy();
    await Promise.race([ended, this.#until((now) => stateOf(now, BLOCKED) === 'blocked')]);
    await whileBlocked();
    await this.lab.host(NOISY_HOST).exec('mv /usr/local/bin/kubeadm.real /usr/local/bin/kubeadm');
    await this.kubewright(['retry', BLOCKED, '--cluster', NAME]);
    const [terminal, json] = await Promise.all([install, watch]);
    await writeFile(join(this.seen, 'terminal-pty-stdout'), String(terminal.all));
    await writeFile(join(this.seen, 'terminal-json'), String(json.all));
    if (terminal.exitCode !== 0) throw new Error(`the install ended with ${terminal.exitCode}: ${terminal.all}`);
  }

  /** Writes down what was sampled, the histories, and each host's journal; learns the keys that the cluster made. */
  async gather(): Promise<void> {
    await Promise.all(this.#samplers.splice(0).map((sampler) => sampler.stop()));
    const write = (name: string, texts: Iterable<string>) =>
      writeFile(join(this.seen, name), `${[...texts].join('\n')}\n`);
    await write('argument-lists', this.#arguments);
    await write('descriptions', this.#described);
    await write('current-details', this.#details);
    await write('histories', await historyTexts(this.engine));
    for (const host of this.lab.hosts) {
      const { stdout } = await host.exec('journalctl --no-pager --quiet -o export', { timeoutMs: 300_000 });
      await write(`journal-${host.name}`, [stdout]);
    }
    await this.#learnSecrets();
  }

  /**
   * What the noisy kubeadm wrote on its host is our doing and no leak: its runs are found by the marker, and removed.
   *
   * @returns how many there were
   */
  async forgetNoise(): Promise<number> {
    const { stdout } = await this.lab
      .host(NOISY_HOST)
      .exec(`files=$(grep -rl ${this.marker} /var/lib/kubewright); rm -- $files; echo "$files"`);
    return stdout.trim().split('\n').filter(Boolean).length;
  }

  #sample(everyMs: number, sample: () => void | Promise<void>): void {
    this.#samplers.push(new Sampler(everyMs, sample));
  }

  #start(program: string, args: string[]): ResultPromise<{ all: true; reject: false }> {
    const child = execa(program, args, {
      all: true,
      reject: false,
      stdin: 'ignore',
      env: this.#environment(),
      extendEnv: false,
      maxBuffer: 1024 * 1024 * 1024,
    });
    this.#processes.push(child);
    return child as unknown as ResultPromise<{ all: true; reject: false }>;
  }

  /**
   * The embedded server is what is meant, whatever the environment of the tests says; and a person, for whom `install`
   * waits when a step is blocked: under CI it would end there.
   */
  #environment(): NodeJS.ProcessEnv {
    const plain = Object.entries(process.env).filter(([name]) => name !== 'CI' && !name.startsWith('TEMPORAL_'));
    const { temporary: TMPDIR, password: KUBEWRIGHT_SUDO_PASSWORD } = this;
    return { ...Object.fromEntries(plain), TERM: 'xterm', TMPDIR, KUBEWRIGHT_SUDO_PASSWORD };
  }

  async #untilServed(): Promise<void> {
    const record = join(this.state, 'server.json');
    while (!existsSync(record)) await pause(100, undefined, { signal: this.#over.signal });
  }

  async #until(holds: (snapshot: RunSnapshot) => boolean): Promise<void> {
    for (;;) {
      const snapshot = await describeRun(this.engine, NAME).catch(() => undefined);
      if (snapshot !== undefined && holds(snapshot)) return;
      await pause(300, undefined, { signal: this.#over.signal });
    }
  }

  async #makeNoisy(): Promise<void> {
    const text = (await readFile(NOISY_KUBEADM, 'utf8')).replaceAll('@MARKER@', this.marker);
    const place = `cd /usr/local/bin
mv kubeadm kubeadm.real
cat >kubeadm.new
chmod 755 kubeadm.new
mv kubeadm.new kubeadm`;
    await this.lab.host(NOISY_HOST).exec(place, { input: text });
  }

  async #learnSecrets(): Promise<void> {
    const { secrets, lab, minted } = this;
    // Whole, and the two parts of it that no quoting changes.
    for (const part of [this.password, ...this.password.split(/\W+/)]) secrets.add('the sudo password', part);
    secrets.addPem('the SSH key', readFileSync(lab.files.privateKey, 'utf8'));
    tokensInEtcd(await hostRoot(lab.host('cp-1')), minted);
    for (const token of minted.tokens) secrets.add('a bootstrap token', token);
    for (const key of minted.certificateKeys) secrets.add('a certificate key', key);
    for (const host of lab.hosts) {
      const root = await hostRoot(host);
      for (const file of keyFiles(root)) secrets.addPem(`${host.name}:${file}`, readFileSync(root + file, 'utf8'));
      for (const file of kubeconfigs(root)) {
        secrets.addPem(`${host.name}:${file}`, clientKey(readFileSync(root + file, 'utf8')));
      }
    }
    secrets.addControl('the marker', this.marker).addControl('the workflow', `cluster/${NAME}`);
    secrets.addControl('an argument', '--etcd-servers=').addControl('an image', 'registry.k8s.io/pause');
  }
}

function stateOf(snapshot: RunSnapshot, id: string): string | undefined {
  return snapshot.progress.steps.find((step) => step.id === id)?.state;
}

function collect(into: Set<string>, texts: string[]): void {
  for (const text of texts) into.add(text);
}

/** Private keys on a host, as paths there: of the cluster, of its etcd, of its kubelet, and of its own sshd. */
function keyFiles(root: string): string[] {
  const below = (directory: string, ending: RegExp): string[] =>
    existsSync(root + directory)
      ? readdirSync(root + directory)
          .filter((name) => ending.test(name))
          .map((name) => `${directory}/${name}`)
      : [];
  return [
    ...below('/etc/kubernetes/pki', /\.key$/),
    ...below('/etc/kubernetes/pki/etcd', /\.key$/),
    ...below('/var/lib/kubelet/pki', /^kubelet-client-\d.*\.pem$|\.key$/),
    '/etc/ssh/ssh_host_ed25519_key',
  ];
}

/** Kubeconfigs that hold a key themselves; the kubelet's names a file. */
function kubeconfigs(root: string): string[] {
  return readdirSync(`${root}/etc/kubernetes`)
    .filter((name) => name.endsWith('.conf'))
    .map((name) => `/etc/kubernetes/${name}`)
    .filter((file) => readFileSync(root + file, 'utf8').includes('client-key-data'));
}

export function clientKey(kubeconfig: string): string {
  const data = /client-key-data: (\S+)/.exec(kubeconfig)?.[1] ?? '';
  return Buffer.from(data, 'base64').toString('utf8');
}
