import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { renderApplied } from '../../../../src/activities/applied/record/applied-spec.js';
import { prepareCheck } from '../../../../src/activities/check/prepareCheck.js';
import { BUILD } from '../../../../src/build.js';
import type { Cluster } from '../../../../src/cluster/types.js';
import type { Hosts } from '../../../../src/hosts/types.js';
import { planCheck } from '../../../../src/plan/check.js';
import { PLAN_FORMAT, type RunInput } from '../../../../src/plan/run.js';
import { clusterOf } from '../../cluster-fixture.js';
import { FakeHost } from '../fake-hosts.js';

vi.mock('node:timers/promises', () => ({ setTimeout: vi.fn() }));
const pauses = vi.mocked(pause);

beforeEach(() => {
  pauses.mockReset();
});

const known = clusterOf({ controlPlanes: 1, workers: 1 });
const { signal } = new AbortController();
const during = { operation: 'install', workflowId: 'cluster/demo', since: 1 } as const;

/** Hosts that count who asks for them, and answer nobody. */
function silentHosts(): { hosts: Hosts; asked: string[] } {
  const asked: string[] = [];
  const get = (name: string): never => {
    asked.push(name);
    throw new Error(`${name} does not answer`);
  };
  return { hosts: { get } as unknown as Hosts, asked };
}

describe('a check that is planned while something changes the cluster', () => {
  it('is left out where a schedule has begun it, and no host hears of it', async () => {
    const { hosts, asked } = silentHosts();
    const planned = await prepareCheck({ known }, { hosts, signal, readBackground: async () => ({ during }) });
    expect(planned).toEqual({ skipped: during });
    expect(asked).toEqual([]);
  });

  it('is made where a person waits for it, and says what was under way', async () => {
    const { hosts } = silentHosts();
    const readBackground = async () => ({ during, healthAttribute: true });
    const planned = await prepareCheck({ known, asked: true }, { hosts, signal, readBackground });
    expect(planned).toMatchObject({ check: { during, healthAttribute: true }, plan: planCheck(known) });
  });
});

describe('who is told of a check', () => {
  const channels = (url: string) => ({
    notify: {
      webhook: { url, urlEnv: null, tokenEnv: null, ca: null, format: 'json' as const },
      mail: null,
      command: null,
    },
  });
  /** The cluster that is checked, where the record of what was applied says who is to be told. */
  const checked = async (asked: Cluster) => {
    const recorded = {
      ...known,
      health: { notify: { ...channels('https://in.the.record').notify, command: ['/bin/sh'] } },
    };
    const record = renderApplied({
      ...{ generation: 1, operation: 'install', planFormat: PLAN_FORMAT, build: BUILD, run: 'r' },
      ...{ at: '2026-01-01T00:00:00Z', leftOut: [], cluster: recorded },
    });
    const host = new FakeHost('cp-1', '10.88.0.11').fact('initialised', '').fact('recorded-copy', record);
    host.cannotTell('recorded-in-cluster');
    const hosts = { get: () => host.remote } as unknown as Hosts;
    const surroundings = { hosts, signal, readBackground: async () => ({}) };
    const input = (await prepareCheck({ known: asked }, surroundings)) as RunInput;
    // It was read: what could not be would be found.
    expect(input.findings).toEqual([]);
    return input.cluster;
  };

  it('says who has asked for it: the record lies in the cluster, and no program of the worker’s machine goes by that', async () => {
    const { health } = await checked({ ...known, health: channels('https://asked.for') });
    expect(health).toEqual(channels('https://asked.for'));
  });

  it('is nobody where who has asked names nobody', async () => {
    expect(await checked(known)).not.toHaveProperty('health');
  });
});

describe('a bad look at what was applied', () => {
  const record = renderApplied({
    ...{ generation: 1, operation: 'install', planFormat: PLAN_FORMAT, build: BUILD, run: 'r' },
    ...{ at: '2026-01-01T00:00:00Z', leftOut: [], cluster: known },
  });
  /** How the control plane is at the first look, and from five seconds later on. */
  const planned = async (first: (host: FakeHost) => void, later: (host: FakeHost) => void = () => {}) => {
    const host = new FakeHost('cp-1', '10.88.0.11').fact('initialised', '').fact('recorded-copy', record);
    host.cannotTell('recorded-in-cluster');
    first(host);
    pauses.mockImplementation(async () => later(host));
    const hosts = { get: () => host.remote } as unknown as Hosts;
    const { findings, check } = (await prepareCheck(
      { known },
      { hosts, signal, readBackground: async () => ({}) },
    )) as RunInput;
    return { findings, looks: host.scripts.length, applied: check?.applied };
  };
  const isAway = (host: FakeHost) => {
    host.reachable = false;
  };
  const isBack = (host: FakeHost) => {
    host.reachable = true;
  };

  it('is none that is told, when it is known five seconds later', async () => {
    expect(await planned(isAway, isBack)).toMatchObject({ findings: [] });
    expect(pauses).toHaveBeenCalledExactlyOnceWith(5_000, undefined, { signal });
  });

  it('is a finding when the second one is no better; there is no third', async () => {
    const isUnreadable = (host: FakeHost) => void host.cannotTell('recorded-copy');
    const { findings, looks, applied } = await planned(isUnreadable);
    expect(findings).toMatchObject([{ code: 'KW603', evidence: expect.stringContaining('is not known') }]);
    expect(looks).toBe(2);
    // Who reads the check's input must not take what was known long ago for what was applied.
    expect(applied).toBeUndefined();
  });

  it('is a finding when reading failed both times, too', async () => {
    const { hosts, asked } = silentHosts();
    const input = await prepareCheck({ known }, { hosts, signal, readBackground: async () => ({}) });
    expect(input).toMatchObject({ findings: [{ code: 'KW603', evidence: expect.stringContaining('cannot be read') }] });
    expect(asked).toEqual(['cp-1', 'cp-1']);
  });

  it('is not taken again where the first one was good', async () => {
    expect(await planned(() => {})).toEqual({
      findings: [],
      looks: 1,
      applied: { generation: 1, build: BUILD, at: '2026-01-01T00:00:00Z' },
    });
    expect(pauses).not.toHaveBeenCalled();
  });

  it('is not taken again where the first one took longer than a look may', async () => {
    const now = vi.spyOn(Date, 'now').mockReturnValueOnce(0).mockReturnValueOnce(30_001);
    const { hosts, asked } = silentHosts();
    await prepareCheck({ known }, { hosts, signal, readBackground: async () => ({}) });
    now.mockRestore();
    expect(asked).toEqual(['cp-1']);
  });

  it('ends with the check that waits for it', async () => {
    const abort = new AbortController();
    pauses.mockImplementation(async () => {
      abort.abort(new Error('cancelled'));
      throw new Error('The operation was aborted');
    });
    const { hosts } = silentHosts();
    const planning = prepareCheck({ known }, { hosts, signal: abort.signal, readBackground: async () => ({}) });
    await expect(planning).rejects.toThrow('cancelled');
  });
});
