import { describe, expect, it } from 'vitest';
import { createContext } from '../../../src/activities/context.js';
import { toApplicationFailure } from '../../../src/activities/failure.js';
import { carryOut } from '../../../src/activities/step.js';
import type { Probe, StepHeartbeat, StepImplementation } from '../../../src/activities/types.js';
import { KubewrightError } from '../../../src/errors.js';
import type {
  DurableCommand,
  DurableResult,
  Hosts,
  RemoteHost,
  Upload,
  UploadOptions,
  WriteOptions,
} from '../../../src/hosts/types.js';
import { planInstall } from '../../../src/plan/install.js';
import { SIGHT_LIMIT } from '../../../src/plan/sight.js';
import { VERSION } from '../../../src/version.js';
import { clusterOf } from '../cluster-fixture.js';

const cluster = clusterOf({ controlPlanes: 1, workers: 1 });
const step = planInstall(cluster).find((candidate) => candidate.id === 'w-1/join');
if (step === undefined) throw new Error('the plan has no w-1/join');

/** A host of which only durable commands are asked; each answers with `result`. */
function fakeHosts(result: Partial<DurableResult>, seen: DurableCommand[] = []): Hosts {
  const host = {
    name: 'w-1',
    runDurable: async (command: DurableCommand) => {
      seen.push(command);
      return { exitCode: 0, result: 'success', output: '', reattached: false, durationMs: 1, ...result };
    },
  } as unknown as RemoteHost;
  return { get: () => host, close: async () => {} };
}

function contextOf(result: Partial<DurableResult> = {}, seen: DurableCommand[] = [], beats: StepHeartbeat[] = []) {
  return createContext(
    { cluster, step: step as NonNullable<typeof step>, build: VERSION },
    { hosts: fakeHosts(result, seen), signal: new AbortController().signal, onProgress: (beat) => beats.push(beat) },
  );
}

/** An implementation whose post-condition holds once it was applied, unless told otherwise. */
function implementation(options: { done?: boolean; sticks?: boolean; apply?: StepImplementation['apply'] } = {}) {
  let done = options.done ?? false;
  const calls: string[] = [];
  const subject: StepImplementation = {
    probe: async (): Promise<Probe> => {
      calls.push('probe');
      return { done, found: done ? 'it holds' : 'it does not hold', changes: done ? [] : ['make it hold'] };
    },
    apply: async (context, found) => {
      calls.push('apply');
      await options.apply?.(context, found);
      done = options.sticks ?? true;
    },
  };
  return { subject, calls };
}

describe('carrying out a step', () => {
  it('hands on what a look has seen, as much as a history takes', async () => {
    const names = Array.from({ length: 5_000 }, (_, index) => `w-${index}`);
    const looking = (nodes: string[]): StepImplementation => ({
      probe: async () => {
        const seen = { etcdLeader: 'cp-1', nodes: [{ ready: true, kubelet: 'v1.34.3', names: nodes }] };
        return { done: true, found: '', changes: [], seen };
      },
      apply: async () => {},
    });
    const few = await carryOut(looking(names.slice(0, 3)), contextOf());
    expect(few.seen?.nodes?.[0]?.names).toEqual(['w-0', 'w-1', 'w-2']);
    const { seen } = await carryOut(looking(names), contextOf());
    expect(seen).toMatchObject({ etcdLeader: 'cp-1', moreNodes: expect.any(Number) });
    expect(JSON.stringify(seen).length).toBeLessThanOrEqual(SIGHT_LIMIT);
  });

  it('names what was a person’s and was replaced, wherever it was written', async () => {
    const host = {
      name: 'w-1',
      writeFile: async (path: string, _content: string, options?: WriteOptions) => {
        options?.onBackup?.(path, `${path}.old`);
        return true;
      },
      upload: async (_files: Upload[], options?: UploadOptions) => {
        options?.onBackup?.('/usr/local/bin/kubectl', '/usr/local/bin/kubectl.old');
        return 1;
      },
    } as unknown as RemoteHost;
    const context = createContext(
      { cluster, step: step as NonNullable<typeof step>, build: VERSION },
      { hosts: { get: () => host, close: async () => {} }, signal: new AbortController().signal },
    );
    const { subject } = implementation({
      apply: async ({ host, hostNamed }) => {
        await host.writeFile('/etc/haproxy/haproxy.cfg', 'ours');
        await hostNamed('cp-1').upload([]);
      },
    });
    expect((await carryOut(subject, context)).summary).toBe(
      'it holds; kept what was there: /etc/haproxy/haproxy.cfg as /etc/haproxy/haproxy.cfg.old, /usr/local/bin/kubectl as /usr/local/bin/kubectl.old',
    );
  });

  it('tells in its summary what a person should know although it stops nothing', async () => {
    const subject: StepImplementation = {
      probe: async () => ({ done: true, found: 'it holds', changes: [], warnings: ['KW323: a', 'KW340: b'] }),
      apply: async () => undefined,
    };
    expect((await carryOut(subject, contextOf())).summary).toBe('it holds; warning: KW323: a; warning: KW340: b');
  });

  it('changes nothing where the post-condition holds', async () => {
    const { subject, calls } = implementation({ done: true });
    expect(await carryOut(subject, contextOf())).toEqual({ outcome: 'unchanged', summary: 'it holds' });
    expect(calls).toEqual(['probe']);
  });

  it('applies and verifies by probing again', async () => {
    const { subject, calls } = implementation();
    const beats: StepHeartbeat[] = [];
    expect(await carryOut(subject, contextOf({}, [], beats))).toEqual({ outcome: 'changed', summary: 'it holds' });
    expect(calls).toEqual(['probe', 'apply', 'probe']);
    expect(beats.map((beat) => beat.stage)).toEqual(['probe', 'apply', 'verify']);
  });

  it('does not believe an apply after which the post-condition does not hold', async () => {
    const { subject } = implementation({ sticks: false });
    await expect(carryOut(subject, contextOf())).rejects.toMatchObject({
      code: 'KW430',
      host: 'w-1',
      step: 'w-1/join',
      transient: false,
      hint: expect.stringContaining('make it hold'),
    });
  });

  it('waits for a post-condition that needs a moment', async () => {
    let looks = 0;
    const subject: StepImplementation = {
      settlesMs: 60_000,
      probe: async () => {
        looks += 1;
        return looks < 4
          ? { done: false, found: 'not yet', changes: ['wait'] }
          : { done: true, found: 'it holds', changes: [] };
      },
      apply: async () => undefined,
    };
    const beats: StepHeartbeat[] = [];
    expect(await carryOut(subject, contextOf({}, [], beats))).toEqual({ outcome: 'changed', summary: 'it holds' });
    expect(beats.at(-1)).toEqual({ stage: 'verify', line: 'waiting: not yet' });
  });

  it('asks again where nobody tells whether the post-condition holds', async () => {
    const subject: StepImplementation = {
      probe: async () => ({ done: false, found: 'not told', changes: ['join'], unasked: 'no answer from the API' }),
      apply: async () => undefined,
    };
    await expect(carryOut(subject, contextOf())).rejects.toMatchObject({
      code: 'KW433',
      transient: true,
      message: expect.stringContaining('no answer from the API'),
    });
  });

  it('tells of a failed command with its exit code, its last lines and what to do', async () => {
    const seen: DurableCommand[] = [];
    const { subject } = implementation({
      apply: async (context) => {
        await context.durable('kubeadm', 'kubeadm join', { timeoutSeconds: 5, hint: 'Look at the kubelet.' });
      },
    });
    const failed = contextOf({ exitCode: 3, result: 'exit-code', output: 'boom' }, seen);
    await expect(carryOut(subject, failed)).rejects.toMatchObject({
      code: 'KW431',
      message: expect.stringContaining('exit code 3'),
      output: 'boom',
      hint: 'Look at the kubelet.',
    });
    expect(seen[0]?.id).toBe('cluster/demo:w-1/join:kubeadm');
  });

  it('takes secrets out of messages and output', async () => {
    const { subject } = implementation({
      apply: async () => {
        throw new KubewrightError('KW400', 'refused token abcdef.0123456789abcdef', {
          output: 'x abcdef.0123456789abcdef',
        });
      },
    });
    const error = await carryOut(subject, contextOf()).catch((thrown: unknown) => thrown);
    const failure = toApplicationFailure(error);
    expect(JSON.stringify([failure.message, failure.details])).not.toContain('0123456789abcdef');
    expect(failure.message).toContain('refused token');
  });

  it('calls an unknown error a defect instead of showing a stack', async () => {
    const { subject } = implementation({
      apply: async () => {
        throw new TypeError('undefined is not a function');
      },
    });
    await expect(carryOut(subject, contextOf())).rejects.toMatchObject({ code: 'KW499', step: 'w-1/join' });
  });
});

describe('a failure for Temporal', () => {
  it('stays retryable exactly when waiting may heal it', () => {
    const broken = toApplicationFailure(
      new KubewrightError('KW201', 'connection lost', { transient: true, host: 'w-1' }),
    );
    const refused = toApplicationFailure(new KubewrightError('KW431', 'exit 1', { host: 'w-1' }));
    expect([broken.nonRetryable, refused.nonRetryable]).toEqual([false, true]);
    expect(broken.message).toBe('w-1: connection lost');
    expect(broken.type).toBe('KW201');
  });

  it('keeps only the end of a long output', () => {
    const failure = toApplicationFailure(
      new KubewrightError('KW431', 'x', { output: `start${'x'.repeat(10_000)}end` }),
    );
    const [details] = failure.details as [{ output: string }];
    expect(details.output).toHaveLength(4_000);
    expect(details.output.endsWith('end')).toBe(true);
  });
});

describe('what a step hands on', () => {
  const handing = (data: Probe['data']): StepImplementation => ({
    probe: async () => ({ done: true, found: 'it is there', changes: [], data }),
    apply: async () => {},
  });

  it('stands in its output', async () => {
    const output = await carryOut(handing({ version: '1.34.3' }), contextOf());
    expect(output).toEqual({ outcome: 'unchanged', summary: 'it is there', data: { version: '1.34.3' } });
  });

  it('is refused above its limit: a thousand hosts would fill the history', async () => {
    await expect(carryOut(handing({ text: 'x'.repeat(3_000) }), contextOf())).rejects.toMatchObject({
      code: 'KW499',
      message: expect.stringContaining('hands on 3011 bytes'),
    });
  });
});
