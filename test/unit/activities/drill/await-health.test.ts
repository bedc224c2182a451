import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lookAtAll } from '../../../../src/activities/check/looks.js';
import { awaitHealth } from '../../../../src/activities/drill/awaitHealth.js';
import { BOOK, readBook } from '../../../../src/activities/drill/book.js';
import { carryOut } from '../../../../src/activities/step.js';
import type { Probe } from '../../../../src/activities/types.js';
import type { HealthFinding } from '../../../../src/plan/run.js';
import { clusterOf } from '../../cluster-fixture.js';
import { BashHosts } from '../bash-hosts.js';

/** Only the check of the cluster is faked: what it finds is what a test says. */
vi.mock('../../../../src/activities/check/looks.js', () => ({ lookAtAll: vi.fn() }));
const fakeLook = vi.mocked(lookAtAll);

const cluster = clusterOf({ controlPlanes: 3, workers: 2 });
const ASKS = 'w-1';
const NAME = 'first-run/network';
const POD_LOG = '/var/log/pods/kube-system_kubewright-drill_some-uid/ask/0.log';
const FINDING: HealthFinding = { code: 'KW650', host: 'w-2', evidence: 'w-2 is not Ready', hint: '' };
const { signal } = new AbortController();

let hosts: BashHosts;
/** When the part was put back: milliseconds since the epoch. */
let restored: number;

beforeEach(() => {
  hosts = new BashHosts(cluster);
  fakeLook.mockResolvedValue([]);
  hosts.program('systemctl', 'echo "$HOST systemctl $*" >>$SHARED/log');
  hosts.program(
    'kubectl',
    `case "$*" in
  *'get --raw /readyz'*) echo ok ;;
  *'delete pod/kubewright-drill '*) echo "$HOST delete pod" >>$SHARED/log ;;
esac`,
  );
  for (const { name } of cluster.hosts.slice(0, 3)) hosts.write(name, '/etc/kubernetes/admin.conf', 'x');
  restored = Date.now() - 12_000;
  hosts.write(ASKS, `${BOOK}/name`, NAME);
  hosts.write(ASKS, `${BOOK}/begun`, `${restored - 30_000}\n`);
  hosts.write(ASKS, `${BOOK}/marks`, `break ${restored - 20_000}\nrestored ${restored}\n`);
  hosts.write(ASKS, `${BOOK}/samples`, answers());
  hosts.write(ASKS, POD_LOG, podAnswers());
});
afterEach(async () => {
  vi.resetAllMocks();
  await hosts.idle();
  hosts.remove();
});

const times = (count: number) => Array.from({ length: count }, (_, index) => restored + 100 * (index + 1));
const answers = (count = 60) =>
  times(count)
    .flatMap((at) => ['version', 'read', 'write'].map((kind) => `${kind} ${at} ${at + 5} 1\n`))
    .join('');
const podAnswers = (count = 60) =>
  times(count)
    .map((at) => `${new Date(at).toISOString()} stdout F told\n`)
    .join('');
const log = () => hosts.shared('log').split('\n').filter(Boolean);

const depths = () => fakeLook.mock.calls.map(([, depth]) => depth ?? 'deep');

function context(onLine: (line: string) => void = () => undefined) {
  const step = {
    id: 'cluster/network-health',
    phase: 'drill' as const,
    action: 'awaitHealth' as const,
    host: null,
    title: '',
    needs: [],
    timeoutMinutes: 1,
    skippable: false,
    with: { scenario: 'network' },
  };
  const input = { step, inputs: { 'cluster/network-ask': { victim: 'w-2', prober: ASKS } } };
  const run = { workflowId: 'cluster/demo', runId: 'later-run', first: 'first-run' };
  return hosts.context('awaitHealth', null, signal, onLine, { input, options: { run } });
}

async function dnsSamples() {
  const reading = await readBook(hosts.pool().get(ASKS), NAME, 'all', signal);
  return reading.is === 'yes' ? reading.value.book?.samples.get('dns') : undefined;
}

describe('a cluster that is to get well behind a break', () => {
  it('is looked at when the questions have ended, and without pods until nothing else is found', async () => {
    let looks = 0;
    fakeLook.mockImplementation(async () => {
      looks += 1;
      expect(log()).toContain(`${ASKS} systemctl stop kubewright-drill-ask.service`);
      expect(log().some((line) => line.endsWith('delete pod'))).toBe(true);
      return looks === 1 ? [FINDING] : [];
    });
    await carryOut(awaitHealth, context());
    expect(depths()).toEqual(['quick', 'quick', 'deep']);
    expect(hosts.read(ASKS, `${BOOK}/marks`)).toMatch(/\nhealthy \d{13}\n$/);
  });

  it('has all questions answered steadily before they are ended', async () => {
    hosts.write(ASKS, `${BOOK}/samples`, answers(20));
    const waiting: string[] = [];
    const told = (line: string) => {
      waiting.push(line);
      hosts.write(ASKS, `${BOOK}/samples`, answers());
    };
    await carryOut(awaitHealth, context(told));
    expect(waiting).toEqual(['waiting for steady answers: version, read, write']);
    expect(depths()).toEqual(['quick', 'deep']);
  });

  it('is asked for ten seconds behind the restore, however steady the answers', async () => {
    restored = Date.now() - 9_000;
    hosts.write(ASKS, `${BOOK}/marks`, `break ${restored - 20_000}\nrestored ${restored}\n`);
    hosts.write(ASKS, `${BOOK}/samples`, answers());
    hosts.write(ASKS, POD_LOG, podAnswers());
    const waiting: string[] = [];
    await carryOut(
      awaitHealth,
      context((line) => waiting.push(line)),
    );
    expect(waiting[0]).toBe('waiting for steady answers: version, read, write, dns');
  });

  it('is not waited for by questions that stay without an answer: the check says why', async () => {
    restored = Date.now() - 90_000;
    hosts.write(ASKS, `${BOOK}/marks`, `break ${restored - 20_000}\nrestored ${restored}\n`);
    hosts.write(ASKS, `${BOOK}/samples`, '');
    await carryOut(awaitHealth, context());
    expect(depths()).toEqual(['quick', 'deep']);
  });

  it('keeps what the pod saw, whose log ends with it', async () => {
    await carryOut(awaitHealth, context());
    rmSync(join(hosts.root, ASKS, POD_LOG));
    expect(await dnsSamples()).toHaveLength(60);
    // Once more, as by the next worker.
    hosts.write(ASKS, `${BOOK}/marks`, `restored ${restored}\n`);
    await carryOut(awaitHealth, context());
    expect(await dnsSamples()).toHaveLength(60);
  });

  it.each([
    ['the log was not kept', () => rmSync(join(hosts.root, ASKS, POD_LOG))],
    ['the book is that of another run', () => hosts.write(ASKS, `${BOOK}/name`, 'other-run/network')],
  ])('keeps its pod where %s', async (_, happens) => {
    happens();
    restored = Date.now() - 90_000;
    hosts.write(ASKS, `${BOOK}/marks`, `restored ${restored}\n`);
    const probe: Probe = { done: false, found: '', changes: [] };
    await awaitHealth.apply(context(), probe);
    expect(log().some((line) => line.endsWith('delete pod'))).toBe(false);
    expect(depths()).toEqual(['quick', 'deep']);
  });

  it('is well also where the host that asked is gone', async () => {
    hosts.away.add(ASKS);
    const probe: Probe = { done: false, found: '', changes: [] };
    await awaitHealth.apply(context(), probe);
    expect(depths()).toEqual(['quick', 'deep']);
  });
});
