import { createContext } from '../../../../src/activities/context.js';
import { SAYS_NO } from '../../../../src/activities/remote-facts.js';
import type { StageContext } from '../../../../src/activities/step.js';
import type { Cluster } from '../../../../src/cluster/types.js';
import type { DurableCommand, DurableResult, RemoteHost, Upload } from '../../../../src/hosts/types.js';
import type { Action } from '../../../../src/plan/types.js';

/** A host that answers scripts as it is told and notes what is done to it. */
export class FakeHost {
  readonly written = new Map<string, string>();
  readonly uploaded: Upload[] = [];
  readonly durables: DurableCommand[] = [];
  /** Facts by name, as `remote-facts` asks them: status and text. One that is asked by `ask` and not here is a no. */
  readonly facts = new Map<string, string>();
  /** Answers to plain scripts, by a text that they contain. */
  readonly answers = new Map<string, string>();
  durableResult: Partial<DurableResult> = {};
  onDurable: () => void = () => undefined;

  readonly remote = {
    name: 'cp-1',
    address: '10.88.0.11',
    run: async (script: string) => ({ exitCode: 0, stderr: '', durationMs: 1, stdout: this.#answer(script) }),
    runDurable: async (command: DurableCommand) => {
      this.durables.push(command);
      this.onDurable();
      return { exitCode: 0, result: 'success', output: '', reattached: false, durationMs: 1, ...this.durableResult };
    },
    readFile: async (path: string) => {
      const text = this.written.get(path);
      return text === undefined ? undefined : Buffer.from(text);
    },
    writeFile: async (path: string, content: string | Buffer) => {
      const changed = this.written.get(path) !== content.toString();
      this.written.set(path, content.toString());
      return changed;
    },
    missingUploads: async (files: Upload[]) => files.filter(({ sha256, target }) => !this.#has(target, sha256)),
    upload: async (files: Upload[]) => {
      this.uploaded.push(...files);
      return 1;
    },
  } as unknown as RemoteHost;

  #has(target: string, sha256: string): boolean {
    return this.uploaded.some((each) => each.target === target && each.sha256 === sha256);
  }

  #answer(script: string): string {
    // What `linkPrograms` points somewhere is found there by whoever asks next.
    for (const [, target = '', path = ''] of script.matchAll(/^link (\/\S+) (\/\S+)$/gm)) this.facts.set(path, target);
    for (const [text, answer] of this.answers) if (script.includes(text)) return answer;
    const lines = [...this.facts].map(([name, text]) => `fact ${name} 0 ${Buffer.from(text).toString('base64')}`);
    const asked = [...script.matchAll(/\bask (\S+) /g)].map(([, name = '']) => name);
    const refused = asked.filter((name) => !this.facts.has(name)).map((name) => `fact ${name} ${SAYS_NO} `);
    return [...lines, ...refused, 'facts end'].join('\n');
  }
}

/** A step's context on a fake host, with everything else as in an installation. */
export function contextOn(fake: FakeHost, cluster: Cluster, action: Action, host = 'cp-1'): StageContext {
  const hosts = { get: () => fake.remote, close: async () => undefined };
  const step = {
    id: `${host}/x`,
    phase: 'prepare' as const,
    action,
    host,
    title: '',
    needs: [],
    timeoutMinutes: 1,
    skippable: false,
  };
  return createContext({ cluster, step, build: '0' }, { hosts, signal: new AbortController().signal });
}
