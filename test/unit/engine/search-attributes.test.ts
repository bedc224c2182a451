import { describe, expect, it } from 'vitest';
import { knowsHealth, registerSearchAttributes } from '../../../src/engine/search-attributes.js';

type Asking = Parameters<typeof registerSearchAttributes>[0];

const KNOWN = {
  KubewrightCluster: 2,
  KubewrightOperation: 2,
  KubewrightState: 2,
  KubewrightPhase: 2,
  KubewrightBlocked: 3,
  KubewrightBlockedSteps: 7,
  KubewrightHealth: 2,
};

/** A server that knows these attributes; `undefined`: its operator service is closed. */
function server(known: Record<string, number> | undefined, query: 'taken' | 'refused' = 'refused') {
  const added: object[] = [];
  const connection = {
    operatorService: {
      listSearchAttributes: async () => {
        if (known === undefined) throw new Error('7 PERMISSION_DENIED');
        return { customAttributes: known };
      },
      addSearchAttributes: async ({ searchAttributes }: { searchAttributes: object }) => added.push(searchAttributes),
    },
    workflowService: {
      countWorkflowExecutions: async () => {
        if (query === 'refused') throw new Error('3 INVALID_ARGUMENT: column name KubewrightState is not defined');
        return { count: 0 };
      },
    },
  } as unknown as Asking;
  const isHealthKnown = () => knowsHealth(connection, 'prod');
  const register = (address = 'temporal:7233') => registerSearchAttributes(connection, { address, namespace: 'prod' });
  return { added, register, isHealthKnown };
}

describe('search attributes', () => {
  it('that are there are used, and those that are missing are registered with their types', async () => {
    const whole = server(KNOWN);
    expect(await whole.register()).toEqual({ usable: true });
    expect(whole.added).toEqual([]);
    const { KubewrightBlockedSteps: _, ...four } = KNOWN;
    const poorer = server(four);
    expect(await poorer.register()).toEqual({ usable: true });
    expect(poorer.added).toEqual([{ KubewrightBlockedSteps: 7 }]);
  });

  it('of another type are not used, for a run that wrote them would never go on', async () => {
    const { register, added } = server({ ...KNOWN, KubewrightBlockedSteps: 2 });
    expect(await register()).toEqual({
      usable: false,
      notice: expect.stringContaining("another type than Kubewright's: KubewrightBlockedSteps (KeywordList)"),
    });
    expect(added).toEqual([]);
  });

  it('are used where nobody may list them and somebody has registered them, as on Temporal Cloud', async () => {
    expect(await server(undefined, 'taken').register()).toEqual({ usable: true });
  });

  it('that nobody has registered are named with the command of who may: another one on Temporal Cloud', async () => {
    const own = await server(undefined).register();
    expect(own.usable).toBe(false);
    expect(own.notice).toContain('temporal operator search-attribute create --namespace prod --name KubewrightCluster');
    for (const address of ['prod.a1b2c.tmprl.cloud:7233', 'us-east-1.aws.api.temporal.io:7233']) {
      const { notice } = await server(undefined).register(address);
      expect(notice).toContain(
        'tcld namespace search-attributes add --namespace prod --search-attribute KubewrightCluster=Keyword',
      );
      expect(notice).toContain('--search-attribute KubewrightBlockedSteps=KeywordList');
    }
  });

  it('do without the one of health checks: installs keep theirs where it has another type', async () => {
    const { KubewrightHealth: _, ...older } = KNOWN;
    const poorer = server(older);
    expect(await poorer.register()).toEqual({ usable: true });
    expect(poorer.added).toEqual([{ KubewrightHealth: 2 }]);
    expect(await server({ ...KNOWN, KubewrightHealth: 3 }).register()).toEqual({ usable: true });
  });

  it('are written by a check where its worker finds the one of health registered, and of the right type', async () => {
    const { KubewrightHealth: _, ...older } = KNOWN;
    expect(await server(KNOWN).isHealthKnown()).toBe(true);
    expect(await server(older).isHealthKnown()).toBe(false);
    expect(await server({ ...KNOWN, KubewrightHealth: 3 }).isHealthKnown()).toBe(false);
    expect(await server(undefined, 'taken').isHealthKnown()).toBe(true);
    expect(await server(undefined).isHealthKnown()).toBe(false);
  });
});
