import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BOOK, type Mark, parseBook } from '../../../../src/activities/drill/book.js';
import { breakPart } from '../../../../src/activities/drill/breakPart.js';
import { awaitOff, filledIn } from '../../../../src/activities/drill/power.js';
import { putBack } from '../../../../src/activities/drill/putBack.js';
import { movingPods } from '../../../../src/activities/drill/watchBreak.js';
import { wordsOf } from '../../../../src/activities/drill/words.js';
import { carryOut, type StageContext } from '../../../../src/activities/step.js';
import { KubewrightError } from '../../../../src/errors.js';
import type { RemoteHost } from '../../../../src/hosts/types.js';
import type { Scenario } from '../../../../src/plan/drill-report.js';
import type { StepData } from '../../../../src/plan/run.js';
import type { Action } from '../../../../src/plan/types.js';
import { clusterOf } from '../../cluster-fixture.js';
import { BashHosts } from '../bash-hosts.js';

const cluster = clusterOf({ controlPlanes: 3, workers: 1 });
const ASKS = 'w-1';
const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const { signal } = new AbortController();

let hosts: BashHosts;
beforeEach(() => {
  hosts = new BashHosts(cluster);
  hosts.program(
    'systemctl',
    `case "$1" in
  is-active)
    unit=\${*: -1}
    if [ -e "$SHARED/stopped-$HOST-$unit" ]; then echo inactive; exit 3; else echo active; fi ;;
  stop) echo "$HOST stop $2" >>$SHARED/log; touch "$SHARED/stopped-$HOST-$2" ;;
  start) echo "$HOST start $2" >>$SHARED/log; rm -f "$SHARED/stopped-$HOST-$2" ;;
esac`,
  );
  hosts.program('systemd-run', 'echo "$HOST arm" >>$SHARED/log');
  hosts.program('ip', '[ "$HOST" != "$(cat $SHARED/holder)" ] || echo "2: eth0 inet 10.88.0.100/24"');
  const members = cluster.hosts.slice(0, 3).map(({ name, address }, index) => {
    return `a${index}, started, ${name}, https://${address}:2380, https://${address}:2379, false`;
  });
  hosts.program(
    'etcdctl',
    `case "$*" in
  *'member list') printf '%s\\n' '${members.join("' '")}' ;;
  *'endpoint health --cluster') [ ! -e $SHARED/member-lost ] && ! rm $SHARED/member-slow 2>/dev/null ;;
  *'endpoint status '*) echo '[{"cluster_id":7},{"cluster_id":7},{"cluster_id":7}]' ;;
esac`,
  );
  share('holder', 'cp-1');
  for (const { name } of cluster.hosts) hosts.write(name, BOOT_ID, `boot of ${name}\n`);
});
afterEach(async () => {
  await hosts.idle();
  hosts.remove();
});

const share = (name: string, content: string) => writeFileSync(join(hosts.root, name), content);
const log = () => hosts.shared('log').split('\n').filter(Boolean);

/** The book of a scenario, as the host that asks has it. */
function begun(scenario: Scenario, ...marks: Mark[]): void {
  hosts.write(ASKS, `${BOOK}/name`, `first-run/${scenario}`);
  hosts.write(ASKS, `${BOOK}/begun`, '1764000000000\n');
  hosts.write(ASKS, `${BOOK}/choice`, JSON.stringify({ scenario, victim: 'cp-1', prober: ASKS }));
  hosts.write(ASKS, `${BOOK}/samples`);
  const lines = marks.map((mark, index) => `${mark} ${1_764_000_000_000 + index}\n`);
  hosts.write(ASKS, `${BOOK}/marks`, lines.join(''));
}

const marked = () => (hosts.read(ASKS, `${BOOK}/marks`) ?? '').split('\n').map((line) => line.split(' ')[0]);

interface Circumstances {
  /** Of the worker. */
  env?: NodeJS.ProcessEnv;
  /** Whether somebody was chosen, and asks; default: yes. */
  asked?: boolean;
}

function context(action: Action, scenario: Scenario, { env = {}, asked = true }: Circumstances = {}): StageContext {
  const inputs: Record<string, StepData> = asked
    ? { [`cluster/${scenario}-ask`]: { victim: 'cp-1', prober: ASKS } }
    : {};
  const step = {
    id: `cluster/${scenario}-x`,
    phase: 'drill' as const,
    action,
    host: null,
    title: '',
    needs: [],
    timeoutMinutes: 1,
    skippable: false,
    with: { scenario },
  };
  const run = { workflowId: 'cluster/demo', runId: 'later-run', first: 'first-run' };
  return hosts.context(action, null, signal, undefined, { input: { step, inputs }, options: { run, env } });
}

describe('the step that breaks a part', () => {
  it('notes the moment before, arms the switch, breaks, and notes that', async () => {
    begun('balancer');
    const { outcome, data } = await carryOut(breakPart, context('breakPart', 'balancer'));
    expect({ outcome, data }).toEqual({ outcome: 'changed', data: { broken: true } });
    expect(log()).toEqual(['cp-1 stop kubewright-drill-undo.timer', 'cp-1 arm', 'cp-1 stop haproxy.service']);
    expect(marked()).toEqual(['break', 'broken', '']);
  });

  it('whose worker died behind the break strikes nobody again, and keeps the moment of the first one', async () => {
    begun('balancer', 'break');
    share('stopped-cp-1-haproxy.service', '');
    // The virtual IP has moved, for that very reason.
    share('holder', 'cp-2');
    await carryOut(breakPart, context('breakPart', 'balancer'));
    expect(log()).toEqual([]);
    expect(marked()).toEqual(['break', 'broken', '']);
  });

  it('whose worker died before the break breaks it now', async () => {
    begun('balancer', 'break');
    await carryOut(breakPart, context('breakPart', 'balancer'));
    expect(log()).toContain('cp-1 stop haproxy.service');
    expect(marked()).toEqual(['break', 'broken', '']);
  });

  it('that has ended does nothing more', async () => {
    begun('balancer', 'break', 'broken');
    expect(await carryOut(breakPart, context('breakPart', 'balancer'))).toMatchObject({ outcome: 'unchanged' });
    expect(log()).toEqual([]);
  });

  it('breaks nothing where the virtual IP has moved since, and nothing where nobody asks', async () => {
    begun('balancer');
    share('holder', 'cp-3');
    await expect(carryOut(breakPart, context('breakPart', 'balancer'))).rejects.toMatchObject({ code: 'KW677' });
    // The book of another run is not this one's.
    hosts.write(ASKS, `${BOOK}/name`, 'other-run/balancer');
    await expect(carryOut(breakPart, context('breakPart', 'balancer'))).rejects.toMatchObject({ code: 'KW676' });
    expect(log()).toEqual([]);
  });

  it('is left out with its scenario', async () => {
    expect(await carryOut(breakPart, context('breakPart', 'balancer', { asked: false }))).toMatchObject({
      summary: 'left out',
    });
  });
});

describe('the step that puts back', () => {
  it('undoes a break that was begun and never noted to its end', async () => {
    begun('balancer');
    await carryOut(breakPart, context('breakPart', 'balancer'));
    begun('balancer', 'break');
    const { outcome } = await carryOut(putBack, context('putBack', 'balancer'));
    expect(outcome).toBe('changed');
    expect(log()).toContain('cp-1 start haproxy.service');
    expect(existsSync(join(hosts.root, 'stopped-cp-1-haproxy.service'))).toBe(false);
    expect(marked()).toEqual(['break', 'restored', '']);
  });

  it('puts back as well when the host that asks is gone, and so is its book', async () => {
    begun('balancer');
    await carryOut(breakPart, context('breakPart', 'balancer'));
    hosts.away.add(ASKS);
    await carryOut(putBack, context('putBack', 'balancer'));
    expect(existsSync(join(hosts.root, 'stopped-cp-1-haproxy.service'))).toBe(false);
  });

  it('has nothing to do where the scenario did not get that far', async () => {
    expect(await carryOut(putBack, context('putBack', 'balancer', { asked: false }))).toMatchObject({
      outcome: 'unchanged',
    });
    begun('balancer');
    expect(await carryOut(putBack, context('putBack', 'balancer'))).toMatchObject({ outcome: 'unchanged' });
    expect(log()).toEqual([]);
  });
});

describe('a power command', () => {
  /** A program of the worker's machine that does something about a host, as its environment names it. */
  function command(name: string, body: string): string {
    const path = join(hosts.root, name);
    writeFileSync(path, `#!/bin/bash\n${body}\n`);
    chmodSync(path, 0o755);
    return `${path} {host} '--at {address}'`;
  }
  const NEVER = '/does/not/exist {host}';
  const powerOf = (off: string, on = NEVER) => ({ KUBEWRIGHT_POWER_OFF: off, KUBEWRIGHT_POWER_ON: on });
  const breaking = (off: string) => carryOut(breakPart, context('breakPart', 'power', { env: powerOf(off) }));

  it('is run as words, with the host that is meant', () => {
    const host = { name: 'cp-2', address: '10.88.0.12' };
    const words = wordsOf(`ipmi -H "bmc {host}" {address} f\\ g '$(x)' ""`) ?? [];
    expect(filledIn(words, host)).toEqual(['ipmi', '-H', 'bmc cp-2', '10.88.0.12', 'f g', '$(x)', '']);
    expect(wordsOf('a "b')).toBeUndefined();
  });

  it('that the environment of the worker does not have is run by nobody', async () => {
    begun('power');
    const bare = carryOut(breakPart, context('breakPart', 'power'));
    await expect(bare).rejects.toMatchObject({
      code: 'KW673',
      message: expect.stringContaining('KUBEWRIGHT_POWER_OFF in the environment of the worker is not set'),
    });
    await expect(breaking('ipmi off')).rejects.toMatchObject({
      code: 'KW673',
      message: expect.stringContaining('no host'),
    });
  });

  it('that fails is told with what it said; the host is then known to have survived', async () => {
    begun('power');
    const off = command('off', 'echo "no such chassis $*" >&2; exit 7');
    await expect(breaking(off)).rejects.toMatchObject({
      code: 'KW673',
      output: expect.stringContaining('no such chassis cp-1 --at 10.88.0.11'),
    });
    expect(marked()).toEqual(['break', 'survived', '']);
    // Nothing is to be switched on, and nothing is.
    const restored = await carryOut(putBack, context('putBack', 'power', { env: powerOf(off) }));
    expect(restored.outcome).toBe('changed');
    expect(marked()).toEqual(['break', 'survived', 'restored', '']);
  });

  it('that only restarts the host is told', async () => {
    begun('power');
    const off = command('reset', `echo 'another boot' >${join(hosts.root, 'cp-1', BOOT_ID)}`);
    await expect(breaking(off)).rejects.toMatchObject({ code: 'KW673', message: expect.stringContaining('restarted') });
  });

  it('that leaves a host hanging, which then answers nothing, has taken its power', async () => {
    const [host] = cluster.hosts;
    if (host === undefined) throw new Error('no host');
    const run = async () => {
      throw new KubewrightError('KW411', 'a command was not even started within 5 s', { transient: true });
    };
    const hanging = { hostNamed: () => ({ run }) as unknown as RemoteHost, signal, progress: () => undefined };
    await expect(awaitOff(hanging, host, 'boot of cp-1', 0)).resolves.toBeUndefined();
  });

  it('that does nothing is told, for the host still answers', async () => {
    const [host] = cluster.hosts;
    if (host === undefined) throw new Error('no host');
    const waiting = awaitOff(context('breakPart', 'power'), host, 'boot of cp-1', 0);
    await expect(waiting).rejects.toMatchObject({ code: 'KW673', message: expect.stringContaining('still answers') });
  });

  it('switches nothing off where another member of etcd is lost already', async () => {
    begun('power');
    share('member-lost', '');
    await expect(breaking(command('off', `touch ${join(hosts.root, 'was-called')}`))).rejects.toMatchObject({
      code: 'KW672',
    });
    expect(existsSync(join(hosts.root, 'was-called'))).toBe(false);
    expect(marked()).toEqual(['']);
  }, 90_000);

  it('goes on where another member of etcd did not answer once', async () => {
    begun('power');
    share('member-slow', '');
    const off = command('off', `touch ${join(hosts.root, 'was-called')}; exit 1`);
    await expect(breaking(off)).rejects.toMatchObject({ code: 'KW673' });
    expect(existsSync(join(hosts.root, 'member-slow'))).toBe(false);
    expect(existsSync(join(hosts.root, 'was-called'))).toBe(true);
  });

  it('takes the power, and gives it back though the worker died in between', async () => {
    begun('power');
    const off = join(hosts.root, 'cp-1-is-off');
    const away = setInterval(() => (existsSync(off) ? hosts.away.add('cp-1') : hosts.away.delete('cp-1')), 5);
    try {
      await breaking(command('off', `touch ${off}`));
      expect(marked()).toEqual(['break', 'broken', '']);
      // As the next worker finds it, had the first one died behind the command.
      begun('power', 'break');
      await breaking(NEVER);
      expect(marked()).toEqual(['break', 'broken', '']);
      const env = powerOf(NEVER, command('on', `rm ${off}`));
      await carryOut(putBack, context('putBack', 'power', { env }));
      expect(existsSync(off)).toBe(false);
      expect(marked()).toEqual(['break', 'broken', 'restored', '']);
    } finally {
      clearInterval(away);
    }
  });
});

describe('what stands in a book', () => {
  it('is read but for lines that were cut short, and what is older than the book', () => {
    const { marks, samples, now } = parseBook([
      'now 1764000009000',
      'begun 1764000000000',
      'mark break 1764000005000',
      'mark moved 1764000008000 12',
      'mark broken',
      'version 1764000001000 1764000001010 1',
      'version 1764000001100 17640000',
      'read 1764000001000 1764000001010 0',
      'dns 2025-11-24T16:00:02.123456789Z told',
      'dns 2025-11-24T16:00:03.500000000Z lost',
      'dns 2025-11-24T15:00:00.000000000Z told',
      'dns nonsense told',
    ]);
    expect(now).toBe(1_764_000_009_000);
    expect([...marks]).toEqual([
      ['break', { at: 1_764_000_005_000 }],
      ['moved', { at: 1_764_000_008_000, count: 12 }],
    ]);
    expect(samples.get('version')).toEqual([{ at: 1_764_000_001_000, endedAt: 1_764_000_001_010, ok: true }]);
    expect(samples.get('read')).toEqual([{ at: 1_764_000_001_000, endedAt: 1_764_000_001_010, ok: false }]);
    expect(samples.get('dns')).toEqual([
      { at: 1_764_000_002_123, endedAt: 1_764_000_002_123, ok: true },
      { at: 1_764_000_002_500, endedAt: 1_764_000_003_500, ok: false },
    ]);
  });
});

it('counts the pods that somebody makes anew elsewhere, and those of them that were not told to end', () => {
  const lines = ['ReplicaSet ', 'ReplicaSet 2026-01-01T00:00:00Z', 'DaemonSet ', 'Node ', 'StatefulSet ', ''].join(
    '\n',
  );
  expect(movingPods(lines)).toEqual({ all: 3, left: 2 });
});
