import type { StepActivity } from '../../../src/engine/types.js';
import { PHASES } from '../../../src/plan/types.js';
import type { InstallView } from '../../../src/terminal/types.js';
import type { BlockedStep, StepProgress } from '../../../src/workflows/types.js';

/** All times in the snapshots count from here. */
export const START = Date.parse('2026-11-20T12:00:00Z');

export const at = (seconds: number): number => START + seconds * 1000;

type Row = [id: string, title: string, state: StepProgress['state'], from?: number, to?: number, summary?: string];

function phaseOf(id: string): StepProgress['phase'] {
  const verb = id.slice(id.indexOf('/') + 1);
  if (verb === 'preflight') return 'preflight';
  if (verb === 'load-balancer' || verb === 'network') return verb;
  if (verb === 'init' || (verb === 'join' && id.startsWith('cp-'))) return 'control-plane';
  if (verb === 'join') return 'workers';
  return id.startsWith('cluster/') ? 'verify' : 'prepare';
}

function progressOf([id, title, state, from, to, summary]: Row): StepProgress {
  const host = id.slice(0, id.indexOf('/'));
  const step: StepProgress = { id, title, phase: phaseOf(id), host: host === 'cluster' ? null : host, state };
  if (from !== undefined) step.startedAt = at(from);
  if (to !== undefined) step.endedAt = at(to);
  if (state === 'done') step.outcome = summary?.startsWith('already') ? 'unchanged' : 'changed';
  if (summary !== undefined) step.summary = summary;
  return step;
}

function snapshot(rows: Row[], rest: Partial<InstallView['progress']>, activities = {}): InstallView {
  const steps = rows.map(progressOf).sort((a, b) => PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase));
  return { progress: { cluster: 'demo', state: 'running', steps, blocked: [], decisions: [], ...rest }, activities };
}

const PREPARED: Row[] = [
  ['cp-1/preflight', 'Check cp-1', 'done', 0, 1.2, 'the host can take the role'],
  ['cp-2/preflight', 'Check cp-2', 'done', 0, 1.4, 'the host can take the role'],
  ['w-1/preflight', 'Check w-1', 'done', 0, 1.1, 'the host can take the role'],
  ['cluster/preflight', 'Check all hosts against each other', 'done', 1.4, 1.6, 'the hosts fit together'],
];

/** Twelve seconds in: three hosts being prepared, one of them out of reach for the moment. */
export function preparing(): InstallView {
  const activities: Record<string, StepActivity> = {
    'cp-1/packages': { attempt: 1, stage: 'apply', line: 'Setting up haproxy (2.6.12-1+deb12u3) \u001b[1m…\u001b[0m' },
    'cp-1/binaries': { attempt: 1, stage: 'verify' },
    'cp-2/packages': {
      attempt: 3,
      failure: 'cp-2: the connection was refused (connect ECONNREFUSED 10.88.0.12:22)',
      nextAttemptAt: at(16),
    },
  };
  const rows: Row[] = [
    ...PREPARED,
    ['cp-1/system', 'Prepare the system of cp-1', 'done', 1.6, 3, 'swap is off, modules and sysctls are set'],
    ['cp-1/packages', 'Install packages on cp-1', 'running', 3],
    ['cp-1/binaries', 'Install Kubernetes binaries on cp-1', 'running', 3],
    ['cp-2/system', 'Prepare the system of cp-2', 'done', 1.6, 3.5, 'already prepared'],
    ['cp-2/packages', 'Install packages on cp-2', 'running', 3.5],
    ['w-1/system', 'Prepare the system of w-1', 'done', 1.6, 3.2],
    ['w-1/packages', 'Install packages on w-1', 'waiting'],
    ['cp-1/init', 'Start the cluster on cp-1', 'waiting'],
    ['w-1/join', 'Join worker w-1', 'waiting'],
    ['cluster/nodes', 'Verify that all nodes are ready', 'waiting'],
  ];
  return snapshot(rows, {}, activities);
}

export const BLOCKED: BlockedStep = {
  step: 'cp-2/join',
  host: 'cp-2',
  blocking: 1,
  code: 'KW431',
  message: 'cp-2: kubeadm failed with exit code 1 after 12 s',
  hint: 'The last lines of its output say why. Mend the cause on the host, then retry the step.',
  output:
    '[preflight] Running pre-flight checks\nerror execution phase preflight: [preflight] Some fatal errors occurred:\n\t[ERROR Port-10250]: Port 10250 is in use\n[preflight] If you know what you are doing, you can make a check non-fatal with `--ignore-preflight-errors=...`\n',
  tries: 2,
  since: at(95),
  skippable: false,
};

/** A control plane that cannot join; the worker went on meanwhile. */
export function blocked(): InstallView {
  const rows: Row[] = [
    ...PREPARED,
    ['cp-1/init', 'Start the cluster on cp-1', 'done', 40, 60, 'the API server answers'],
    ['cp-2/join', 'Join control plane cp-2', 'blocked', 60],
    ['w-1/join', 'Join worker w-1', 'running', 60],
    ['cluster/nodes', 'Verify that all nodes are ready', 'waiting'],
  ];
  const activities = { 'w-1/join': { attempt: 1, stage: 'apply', line: '[kubelet-start] Starting the kubelet' } };
  return snapshot(rows, { state: 'blocked', blocked: [BLOCKED] }, activities);
}

export function done(): InstallView {
  const rows: Row[] = [
    ...PREPARED,
    ['cp-1/init', 'Start the cluster on cp-1', 'done', 40, 60, 'the API server answers'],
    ['cp-2/join', 'Join control plane cp-2', 'done', 60, 122, 'cp-2 is a control plane'],
    ['w-1/join', 'Join worker w-1', 'skipped', 60, 61],
    ['cluster/nodes', 'Verify that all nodes are ready', 'done', 122, 131, '2 nodes are ready'],
  ];
  const decisions = [
    { verb: 'retry' as const, steps: ['cp-2/join'], at: at(110), via: 'update' as const, by: 'anna@bastion' },
  ];
  return snapshot(rows, { state: 'done', decisions });
}

/** Many hosts, more than a terminal has lines. */
export function crowd(count: number): InstallView {
  const rows = Array.from({ length: count }, (_, index): Row[] => {
    const name = `w-${index + 1}`;
    const state = index % 3 === 0 ? 'done' : index % 3 === 1 ? 'running' : 'waiting';
    return [
      [`${name}/system`, `Prepare the system of ${name}`, 'done', 0, 1],
      [`${name}/packages`, `Install packages on ${name}`, state, 1, state === 'done' ? 9 : undefined],
    ];
  });
  return snapshot(rows.flat(), { blocked: [BLOCKED], state: 'blocked' });
}

/** Hosts of a data centre that all meet the same fault in one step, but for those that meet one of their own. */
export function fault(count: number, own: Record<number, Partial<BlockedStep>> = {}): InstallView {
  const names = Array.from({ length: count }, (_, index) => `worker-${String(index + 1).padStart(4, '0')}.example.org`);
  const rows = names.flatMap((name): Row[] => [
    [`${name}/preflight`, `Check ${name}`, 'done', 0, 1],
    [`${name}/packages`, `Install packages on ${name}`, 'blocked', 1],
    [`${name}/join`, `Join worker ${name}`, 'waiting'],
  ]);
  const addresses = Object.fromEntries(names.map((name, index) => [name, `10.88.${index >> 8}.${index & 255}`]));
  const blocked = names.map(
    (name, index): BlockedStep => ({
      ...BLOCKED,
      step: `${name}/packages`,
      host: name,
      blocking: index + 1,
      message: `${name}: apt-get failed with exit code 100 after ${index % 60} s`,
      output: `Get:${index} http://mirror.example.org\nErr:1 http://mirror.example.org bookworm\nE: from ${addresses[name]}\nE: Failed to fetch\n`,
      since: at(95 + (index % 7)),
      skippable: true,
      ...own[index],
    }),
  );
  return { ...snapshot(rows, { state: 'blocked', blocked }), addresses };
}
