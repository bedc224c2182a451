import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { FakeOrders, FakeWord, FaultOrder } from './main.js';

export type { FakeOrders } from './main.js';

/** Fake hosts that run. */
export interface FakeHosts {
  /** Port of 127.0.0.1 at which each host is reached by SSH, by name. */
  ports: Record<string, number>;
  /** Lets every installation of packages fail with this output from now on; undefined mends it. */
  setFault(fault: string | undefined): void;
  /** Scripts and questions that the fakes did not know. Each is a defect of the fakes, and stands with its script. */
  unknown(): Promise<string[]>;
  stop(): Promise<void>;
}

/**
 * Starts the hosts of a cluster as fakes, in a process of their own. They are fakes: nothing is installed anywhere.
 *
 * @param loader arguments of node for a process that runs TypeScript; none where it was built
 */
export async function startFakeHosts(orders: FakeOrders, loader: string[] = []): Promise<FakeHosts> {
  const own = import.meta.url.endsWith('.ts') ? './main.ts' : './main.js';
  const child = fork(new URL(own, import.meta.url), {
    execArgv: loader,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.send(orders);
  const word = await next(child);
  if (!('ports' in word)) throw new Error('failed' in word ? word.failed : 'the fake hosts said something else');
  return {
    ports: word.ports,
    setFault: (fault) => void child.send({ fault: fault ?? null } satisfies FaultOrder),
    unknown: async () => {
      child.send('unknown');
      const told = await next(child);
      return 'unknown' in told ? told.unknown : [];
    },
    stop: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

/** The next thing that it says; one is asked for at a time. @throws Error when it ends instead */
async function next(child: ChildProcess): Promise<FakeWord> {
  const done = new AbortController();
  const { signal } = done;
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`the fake hosts ended with exit code ${code}`);
  });
  try {
    const [word] = await Promise.race([once(child, 'message', { signal }), ended]);
    return word as FakeWord;
  } finally {
    ended.catch(() => undefined);
    done.abort();
  }
}
