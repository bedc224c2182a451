import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  LEASE_LIBRARY,
  LEASE_PATH,
  LEASE_SECONDS,
  parseLease,
  takeScript,
  type Writer,
} from '../../../src/activities/lease/lease.js';
import { Leases } from '../../../src/activities/lease/leases.js';
import { releaseHosts } from '../../../src/activities/lease/releaseHosts.js';
import { takeHostsFrom } from '../../../src/activities/lease/unlock.js';
import { carryOut, type StageContext } from '../../../src/activities/step.js';
import type { StepImplementation } from '../../../src/activities/types.js';
import { planInstall } from '../../../src/plan/install.js';
import { clusterOf } from '../cluster-fixture.js';
import { BashHosts } from './bash-hosts.js';

const cluster = clusterOf({ controlPlanes: 2, workers: 2 });
const FILE = LEASE_PATH.slice(1);
const names = cluster.hosts.map(({ name }) => name);

let hosts: BashHosts;
let scheduled = 1_000;

beforeEach(() => {
  hosts = new BashHosts(cluster);
});
afterEach(() => hosts.remove());

/** A run of a Temporal server; each step of it is scheduled after those before it. */
function server(namespaceId: string, runId: string): () => Writer {
  const who = { by: `anna@${namespaceId}`, temporal: `${namespaceId}:7233, namespace default` };
  return () => ({ namespaceId, workflowId: 'cluster/demo', runId, order: ++scheduled, ...who });
}
const a = server('server-a', 'run-a');
const b = server('server-b', 'run-b');

/** A worker, which remembers for a minute what it holds; it forgets at once unless a test says so. */
const forgetful = () => new Leases(() => Math.random() * 1e15);

function context(host: string | null, writer: Writer | undefined, leases = forgetful()): StageContext {
  return hosts.context('prepareSystem', host, new AbortController().signal, () => {}, { options: { writer, leases } });
}

/** A step that changes one host. */
const change: StepImplementation = {
  probe: async ({ host }) => {
    const { stdout } = await host.run('cat /etc/changed 2>/dev/null || true\n');
    return { done: stdout.trim() === 'yes', found: stdout, changes: [] };
  },
  apply: async ({ host }) => {
    await host.run('echo yes >/etc/changed; echo x >>/etc/count\n');
  },
};
const changeOn = (host: string, writer: Writer, leases?: Leases) => carryOut(change, context(host, writer, leases));
const undo = (host: string) => hosts.write(host, 'etc/changed', 'no');
const changed = (host: string) => (hosts.read(host, 'etc/count') ?? '').length / 2;
const lease = (host: string) => parseLease((hosts.read(host, FILE) ?? '').split('\n'));
const later = (seconds: number) => {
  for (const name of names) hosts.write(name, 'proc/uptime', `${1000 + seconds}.00 1.00\n`);
};

describe('a run that changes hosts', () => {
  it('holds each that it changes and the first control plane, and none that it only looks at', async () => {
    await changeOn('w-1', a());
    expect(names.map((name) => lease(name)?.run)).toEqual(['run-a', undefined, 'run-a', undefined]);
    hosts.write('w-2', 'etc/changed', 'yes');
    expect((await changeOn('w-2', a())).outcome).toBe('unchanged');
    expect(lease('w-2')).toBeUndefined();
  });

  it('keeps out a run of another server, by name, before that one has changed anything', async () => {
    await changeOn('w-1', a());
    undo('w-1');
    await expect(changeOn('w-1', b())).rejects.toMatchObject({
      code: 'KW590',
      transient: false,
      message: expect.stringMatching(
        /run run-a of cluster\/demo \(by anna@server-a, on the Temporal server server-a:7233, namespace default\), since 20.* UTC and until 20.* UTC/,
      ),
      hint: expect.stringContaining('kubewright unlock cluster.yaml run-a'),
    });
    expect(changed('w-1')).toBe(1);
    // Nor does it get a host that the first one has not touched: the first control plane stands for the cluster.
    await expect(changeOn('w-2', b())).rejects.toMatchObject({ code: 'KW590' });
    expect(changed('w-2')).toBe(0);
  });

  it('is one of two that begin in the same moment', async () => {
    await Promise.allSettled([
      ...names.map((name) => changeOn(name, a())),
      ...names.map((name) => changeOn(name, b())),
    ]);
    const won = new Set(names.map((name) => lease(name)?.run).filter(Boolean));
    expect(won.size).toBe(1);
    expect(names.map(changed)).toEqual([1, 1, 1, 1]);
  });

  it('goes on by whichever worker, and so does the next run of the same namespace, as after a termination', async () => {
    await changeOn('w-1', a());
    undo('w-1');
    await changeOn('w-1', a(), new Leases());
    undo('w-1');
    const old = a();
    await changeOn('w-1', server('server-a', 'run-a2')());
    expect(lease('w-1')).toMatchObject({ run: 'run-a2', state: 'held' });
    undo('w-1');
    // A worker of the run before it that was asleep has lost the host.
    await expect(changeOn('w-1', old)).rejects.toMatchObject({ code: 'KW591' });
    expect(changed('w-1')).toBe(3);
  });

  it('that is older than the one at work is kept out, also where it never was', async () => {
    const asleep = a();
    await changeOn('cp-1', server('server-a', 'run-a2')());
    await expect(changeOn('w-1', asleep)).rejects.toMatchObject({ code: 'KW591', transient: true });
  });

  it('renews what it holds, as long as something goes on', async () => {
    await changeOn('w-1', a());
    hosts.write('w-1', FILE, (hosts.read('w-1', FILE) ?? '').replace(/since=\d+/, 'since=1700000000'));
    later(LEASE_SECONDS - 60);
    undo('w-1');
    await changeOn('w-1', a());
    expect(lease('w-1')?.since).toBe(1_700_000_000);
    later(LEASE_SECONDS + 3_600);
    undo('w-1');
    await expect(changeOn('w-1', b())).rejects.toMatchObject({ code: 'KW590' });
  });

  it('is believed by its worker for a minute, and asked again afterwards, as when it was asleep', async () => {
    let now = 0;
    const worker = new Leases(() => now);
    await changeOn('w-1', a(), worker);
    hosts.trips = 0;
    undo('w-1');
    await changeOn('w-1', a(), worker);
    const believed = hosts.trips;
    undo('w-1');
    now += 61_000;
    hosts.trips = 0;
    await changeOn('w-1', a(), worker);
    expect(hosts.trips).toBe(believed + 2);
  });

  it('does not wait for a first control plane that cannot be reached', async () => {
    hosts.away.add('cp-1');
    await changeOn('w-1', a());
    expect(lease('w-1')?.run).toBe('run-a');
    await expect(changeOn('cp-1', a())).rejects.toMatchObject({ code: 'KW202' });
  });
});

describe('a run that waits for a person longer than its lease lives', () => {
  beforeEach(async () => {
    await changeOn('w-1', a());
    later(LEASE_SECONDS + 1);
    undo('w-1');
  });

  it('keeps nobody out any more, and has lost the cluster once another one took it', async () => {
    await changeOn('w-1', b());
    undo('w-1');
    await expect(changeOn('w-1', a())).rejects.toMatchObject({
      code: 'KW591',
      transient: false,
      message: expect.stringContaining('run run-b of cluster/demo'),
      hint: expect.stringContaining('kubewright abort'),
    });
    await expect(changeOn('w-2', a())).rejects.toMatchObject({ code: 'KW591' });
  });

  it('has lost it also when the other one has ended meanwhile', async () => {
    await changeOn('w-1', b());
    await carryOut(releaseHosts, context(null, b()));
    undo('w-1');
    await expect(changeOn('w-1', a())).rejects.toMatchObject({ code: 'KW591' });
    expect(changed('w-1')).toBe(2);
  });

  it('goes on where nobody came', async () => {
    await changeOn('w-1', a());
    expect(changed('w-1')).toBe(2);
  });
});

describe('the time of a lease', () => {
  it('goes by the time since the host was started, not by a clock that is set', async () => {
    await changeOn('w-1', a());
    const text = hosts.read('w-1', FILE) ?? '';
    // As if the clock had stood a day later, or a day earlier, when it was written.
    for (const seconds of [86_400, -86_400]) {
      hosts.write(
        'w-1',
        FILE,
        text.replace(/renewed=(\d+)/, (_, at) => `renewed=${Number(at) + seconds}`),
      );
      await expect(changeOn('w-2', b())).rejects.toMatchObject({ code: 'KW590' });
    }
  });

  it('goes by the clock after a reboot', async () => {
    await changeOn('cp-1', a());
    hosts.write('cp-1', 'proc/sys/kernel/random/boot_id', 'another');
    hosts.write('cp-1', 'proc/uptime', '3.00 1.00\n');
    undo('cp-1');
    await expect(changeOn('cp-1', b())).rejects.toMatchObject({ code: 'KW590' });
    const text = hosts.read('cp-1', FILE) ?? '';
    hosts.write(
      'cp-1',
      FILE,
      text.replace(/renewed=(\d+)/, (_, at) => `renewed=${Number(at) - LEASE_SECONDS - 1}`),
    );
    await changeOn('cp-1', b());
  });
});

describe('at its end', () => {
  it('a run gives back what it holds, and what one before it left that was ended by force', async () => {
    await changeOn('w-1', a());
    const next = server('server-a', 'run-a2');
    await changeOn('w-2', next());
    // That is no change of the cluster: a run that changed nothing else still says so.
    expect(await carryOut(releaseHosts, context(null, next()))).toEqual({
      outcome: 'unchanged',
      summary: 'no host is held by this run',
    });
    expect(names.map((name) => lease(name)?.state)).toEqual(['released', undefined, 'released', 'released']);
    undo('w-1');
    await changeOn('w-1', b());
  });

  it('a run that has changed nothing finds nothing to give back, and writes nothing', async () => {
    expect((await carryOut(releaseHosts, context(null, a()))).outcome).toBe('unchanged');
    expect(names.map((name) => hosts.read(name, FILE))).toEqual(names.map(() => undefined));
  });

  it("another server's run stays as it is", async () => {
    await changeOn('w-1', a());
    await carryOut(releaseHosts, context(null, b()));
    // Also where it has taken the host after this run looked.
    await releaseHosts.apply(context(null, b()), { done: false, found: '', changes: [] });
    expect(lease('w-1')).toMatchObject({ run: 'run-a', state: 'held' });
  });

  it('a host that is away is named, and nobody is asked about it', async () => {
    await changeOn('w-1', a());
    hosts.away.add('w-1');
    const { summary } = await carryOut(releaseHosts, context(null, a()));
    expect(summary).toContain('w-1 cannot be asked: what this run holds there ends by itself within two hours');
    expect(lease('cp-1')?.state).toBe('released');
  });

  it('a worker of that run which was asleep changes nothing any more, and a Reset of the run goes on', async () => {
    await changeOn('w-1', a());
    const asleep = a();
    await carryOut(releaseHosts, context(null, a()));
    undo('w-1');
    await expect(changeOn('w-1', asleep)).rejects.toMatchObject({ code: 'KW591' });
    expect(changed('w-1')).toBe(1);
    await changeOn('w-1', a());
    expect(lease('w-1')).toMatchObject({ run: 'run-a', state: 'held' });
  });

  it('every plan gives the hosts back, whatever became of it', () => {
    const last = planInstall(cluster).at(-1);
    expect(last).toMatchObject({ action: 'releaseHosts', always: true });
    expect(last?.needs).toContain('cluster/record');
  });
});

describe('a person', () => {
  it('takes the hosts from a run whose server is lost; it does not get them back', async () => {
    await changeOn('w-1', a());
    const taken = await takeHostsFrom(cluster, 'run-a', hosts.pool());
    expect(taken).toEqual({ hosts: expect.arrayContaining(['cp-1', 'w-1']), unasked: [] });
    undo('w-1');
    await expect(changeOn('w-1', a())).rejects.toMatchObject({ code: 'KW591' });
    await changeOn('w-1', b());
  });

  it('has to name the run, and hears of hosts that were not asked', async () => {
    await changeOn('w-1', a());
    await expect(takeHostsFrom(cluster, 'run-x', hosts.pool())).rejects.toMatchObject({ code: 'KW595' });
    expect(lease('w-1')?.state).toBe('held');
    hosts.away.add('w-1');
    expect(await takeHostsFrom(cluster, 'run-a', hosts.pool())).toEqual({
      hosts: ['cp-1'],
      unasked: [{ host: 'w-1', why: 'no way to it' }],
    });
  });
});

describe('a lease that says nothing', () => {
  it.each(['', 'garbage\n', 'state=held\n', 'state=held\nholder=x y\nrun=r\nuptime=soon\n'])(
    'permits nothing: %j',
    async (text) => {
      hosts.write('w-1', FILE, text);
      await expect(changeOn('w-1', a())).rejects.toMatchObject({
        code: 'KW594',
        hint: expect.stringContaining('remove it'),
      });
      expect(changed('w-1')).toBe(0);
    },
  );

  it.each(['half of it comes back', 'nothing comes back', 'garbage comes back'] as const)(
    'on its way permits nothing: %s',
    async (kind) => {
      const step = context('cp-1', a());
      hosts.fault = { trip: 2, kind };
      await expect(carryOut(change, step)).rejects.toMatchObject({ code: 'KW594' });
      expect(changed('cp-1')).toBe(0);
    },
  );

  it('because it cannot be written permits nothing', async () => {
    hosts.program('mktemp', 'echo "mktemp: No space left on device" >&2; exit 1');
    await expect(changeOn('w-1', a())).rejects.toMatchObject({
      code: 'KW596',
      message: expect.stringContaining('No space left on device'),
    });
    expect(changed('w-1')).toBe(0);
  });
});

it('words of people cannot add a line to a lease', () => {
  const script = takeScript({ ...a(), by: "o'brien\nrun=other@höst" });
  expect(script).toContain("by='o'\\''brien?run=other@h?st'");
  expect(script.startsWith("holder='server-a cluster/demo'\n")).toBe(true);
  expect(LEASE_LIBRARY).not.toContain('undefined');
});
