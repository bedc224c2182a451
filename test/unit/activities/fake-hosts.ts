import { createContext } from '../../../src/activities/context.js';
import { SAYS_NO } from '../../../src/activities/remote-facts.js';
import type { StageContext } from '../../../src/activities/step.js';
import type { Cluster } from '../../../src/cluster/types.js';
import { KubewrightError } from '../../../src/errors.js';
import type {
  CommandResult,
  DurableCommand,
  DurableResult,
  RemoteHost,
  RunOptions,
  Upload,
} from '../../../src/hosts/types.js';
import type { Action } from '../../../src/plan/types.js';

/** What a fake command comes to; a string is its output. */
type Answer = string | Partial<CommandResult>;

/** One host that answers as it is told and keeps a record of all that reached it. */
export class FakeHost {
  /** Facts by name, each with a command that succeeded. One that is not here failed; asked by `ask`, the host says no. */
  readonly facts = new Map<string, string>();
  /** Facts whose command failed without an answer: what `ask` calls unknown. */
  readonly unanswered = new Set<string>();
  readonly files = new Map<string, string>();
  readonly scripts: { script: string; input: string }[] = [];
  readonly durables: DurableCommand[] = [];
  readonly secrets: Record<string, string>[] = [];
  /** What was uploaded, by its target. Nothing is missing unless its name is among `lacks`. */
  readonly uploads: Upload[] = [];
  readonly lacks = new Set<string>();
  reachable = true;
  /** Whether a durable command runs already, so that nothing may be minted. */
  durableRuns = false;
  durableResult: Partial<DurableResult> = {};
  /** Answers to scripts that are no facts, by a text that they contain; the first that fits. */
  readonly #answers: [string, Answer | ((input: string) => Answer)][] = [];

  readonly remote: RemoteHost;

  constructor(name: string, address: string) {
    this.remote = this.#remote(name, address);
  }

  answer(text: string, answer: Answer | ((input: string) => Answer)): this {
    this.#answers.push([text, answer]);
    return this;
  }

  fact(name: string, text: string): this {
    this.facts.set(name, text);
    return this;
  }

  /** From now on a question comes to nothing: neither yes nor no. */
  cannotTell(name: string): this {
    this.unanswered.add(name);
    return this;
  }

  /** Everything that was run here, one script after the other. */
  get log(): string {
    return this.scripts.map(({ script }) => script).join('\n');
  }

  #remote(name: string, address: string): RemoteHost {
    return {
      name,
      address,
      run: async (script: string, options: RunOptions = {}) => this.#run(script, options),
      runDurable: async (command: DurableCommand) => {
        this.durables.push(command);
        if (!this.durableRuns && command.secrets)
          this.secrets.push((await command.secrets()) as Record<string, string>);
        return { exitCode: 0, result: 'success', output: '', reattached: false, durationMs: 1, ...this.durableResult };
      },
      missingUploads: async (files: Upload[]) => files.filter(({ target }) => this.lacks.has(target)),
      upload: async (files: Upload[]) => {
        this.uploads.push(...files);
        return 0;
      },
      readFile: async (path: string) => {
        const text = this.files.get(path);
        return text === undefined ? undefined : Buffer.from(text);
      },
      writeFile: async (path: string, content: string | Buffer) => {
        this.files.set(path, content.toString());
        return true;
      },
    } as unknown as RemoteHost;
  }

  #run(script: string, options: RunOptions): CommandResult {
    if (!this.reachable)
      throw new KubewrightError('KW202', 'no way to it', { host: this.remote.name, transient: true });
    const input = String(options.input ?? '');
    this.scripts.push({ script, input });
    const result = { exitCode: 0, stderr: '', durationMs: 1, stdout: '', ...this.#answerTo(script, input) };
    if (result.exitCode === 0 || options.allowFailure) return result;
    throw new KubewrightError('KW410', `failed with ${result.exitCode}`, {
      host: this.remote.name,
      output: result.stdout,
    });
  }

  #answerTo(script: string, input: string): Partial<CommandResult> {
    const [, given] = this.#answers.find(([text]) => script.includes(text)) ?? [];
    if (given === undefined) return { stdout: this.#factLines(script) };
    const answer = typeof given === 'function' ? given(input) : given;
    return typeof answer === 'string' ? { stdout: answer } : answer;
  }

  #factLines(script: string): string {
    const asked = [...script.matchAll(/\b(fact|ask) (\S+) /g)].map(([, word = '', name = '']) => {
      const text = this.unanswered.has(name) ? undefined : this.facts.get(name);
      const refused = word === 'ask' && !this.unanswered.has(name) ? SAYS_NO : 1;
      return `fact ${name} ${text === undefined ? refused : 0} ${Buffer.from(text ?? '').toString('base64')}`;
    });
    return [...asked, 'facts end'].join('\n');
  }
}

/** What a script of facts prints when each of these was answered. */
export function factLines(facts: Record<string, string>): string {
  const lines = Object.entries(facts).map(([name, text]) => `fact ${name} 0 ${Buffer.from(text).toString('base64')}`);
  return [...lines, 'facts end'].join('\n');
}

/** All hosts of a cluster, each blank. */
export function fakeHosts(cluster: Cluster): Map<string, FakeHost> {
  return new Map(cluster.hosts.map(({ name, address }) => [name, new FakeHost(name, address)]));
}

/** The context of a step of one host (or of none) among these. */
export function contextAmong(
  hosts: Map<string, FakeHost>,
  cluster: Cluster,
  action: Action,
  host: string | null,
): StageContext {
  const get = (name: string): RemoteHost => {
    const found = hosts.get(name);
    if (found === undefined) throw new Error(`no fake host ${name}`);
    return found.remote;
  };
  const step = {
    id: `${host ?? 'cluster'}/x`,
    phase: 'control-plane' as const,
    action,
    host,
    title: '',
    needs: [],
    timeoutMinutes: 1,
    skippable: false,
  };
  return createContext(
    { cluster, step, build: '0' },
    { hosts: { get, close: async () => undefined }, signal: new AbortController().signal },
  );
}

/** The named fake host, which a test is sure of. */
export function hostIn(hosts: Map<string, FakeHost>, name: string): FakeHost {
  const host = hosts.get(name);
  if (host === undefined) throw new Error(`no fake host ${name}`);
  return host;
}
