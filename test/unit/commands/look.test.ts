import { describe, expect, it } from 'vitest';
import type { Comparison } from '../../../src/activities/applied/difference.js';
import { type Finding, lookAtPlan } from '../../../src/activities/look.js';
import { preflightError } from '../../../src/activities/prepare/checks/index.js';
import type { Probe } from '../../../src/activities/types.js';
import { KubewrightError } from '../../../src/errors.js';
import { planInstall } from '../../../src/plan/install.js';
import type { Step } from '../../../src/plan/types.js';
import { findingEvent, planLines, summarize } from '../../../src/terminal/plan.js';
import { createTheme } from '../../../src/terminal/theme.js';
import { clusterOf } from '../cluster-fixture.js';

const cluster = clusterOf({ controlPlanes: 2, workers: 1 });
const plan = planInstall(cluster);
const holds = (found: string): Probe => ({ done: true, found, changes: [] });

const unreachable = () =>
  new KubewrightError('KW201', 'the connection was refused', {
    host: 'cp-2',
    hint: 'Is sshd running there? Try: ssh root@10.88.0.12',
  });

const found = { line: 12, hosts: [], later: null };
const comparison: Comparison = {
  differences: [
    { ...found, key: 'spec.hosts[w-1].labels.disk', applied: 'ssd', wanted: 'nothing', verdict: 'install' },
    { ...found, key: 'spec.kubernetes.podSubnet', applied: '10.244.0.0/16', wanted: '10.245.0.0/16', verdict: 'never' },
    {
      ...found,
      key: 'spec.kubernetes.certificateSANs',
      line: null,
      hosts: ['cp-1', 'cp-2'],
      applied: 'no api.example.org',
      wanted: 'api.example.org',
      verdict: 'refused',
      later: 'reconfigure',
    },
  ],
  unchecked: ['spec.kubernetes.kubeProxy.config: the cluster has no ConfigMap of it'],
};
const refused: Probe = {
  done: false,
  found: '3 differences',
  changes: [],
  comparison,
  problem: new KubewrightError('KW361', 'cluster.yaml asks for 2 things that install cannot change:\n  the list', {
    hint: 'Put back what the cluster has.',
  }),
};

/** cp-1 is prepared as far as its packages, cp-2 is off, w-1 is blank and has swap on. */
async function halfway(step: Step): Promise<Probe> {
  if (step.host === 'cp-2') throw unreachable();
  if (step.id === 'cluster/applied') return refused;
  if (step.id === 'cp-1/preflight') return holds('the host can take the role');
  if (step.id === 'w-1/preflight') throw new KubewrightError('KW305', 'swap is on', { hint: 'Run: swapoff -a' });
  if (step.id === 'cp-1/system') return holds('modules and sysctls are set');
  if (step.id === 'cp-1/packages') {
    return { done: false, found: 'haproxy is missing', changes: ['install haproxy', 'install keepalived'] };
  }
  if (step.action === 'configureRuntime') return { done: false, found: 'no containerd', changes: ['start containerd'] };
  if (step.id === 'cp-1/load-balancer') return { done: false, found: 'no HAProxy', changes: ['start haproxy'] };
  if (step.id === 'cp-1/binaries') return { done: false, found: 'no kubelet', changes: [] };
  throw new KubewrightError('KW411', 'ctr: command not found');
}

describe('looking at a plan', () => {
  it('tells what holds, what would be done, what comes later and what is in the way', async () => {
    const findings = await lookAtPlan({ plan, probe: halfway });
    expect(findings.map((finding) => finding.step.id)).toEqual(plan.map((step) => step.id));
    const text = planLines(cluster, findings, createTheme(false, true), 100).join('\n');
    await expect(`${text}\n`).toMatchFileSnapshot('golden/plan.golden');
  });

  it('asks a host that cannot be reached once', async () => {
    const asked: string[] = [];
    const probe = (step: Step) => {
      asked.push(step.id);
      return halfway(step);
    };
    await lookAtPlan({ plan, probe });
    expect(asked.filter((id) => id.startsWith('cp-2/'))).toEqual(['cp-2/preflight']);
  });

  it('breaks what a person has to read to its end, and cuts it nowhere', async () => {
    const hint = `nftables drops packets on cp-1. Let it in: ${'`nft insert rule` '.repeat(12)}end.`;
    const problem = new KubewrightError('KW335', `cp-1 cannot be reached at ${'TCP 6443 '.repeat(20)}end`, { hint });
    const warnings = [`overruled: KW310 (a test): ${'it has little '.repeat(12)}end`];
    const probe = async (step: Step): Promise<Probe> =>
      step.id === 'cp-1/preflight' ? { done: false, found: '', changes: [], warnings, problem } : holds('fit');
    const steps = plan.filter(({ host }) => host === 'cp-1').slice(0, 2);
    const findings = await lookAtPlan({ plan: steps, probe });
    const lines = planLines(cluster, findings, createTheme(false, true), 80);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.join('\n').match(/\bend\b/g)).toHaveLength(3);
  });

  it('shows all problems and warnings of a host, and counts it as something in the way', async () => {
    const problems = [
      { code: 'KW304', what: 'it lacks the tools ss and ip', hint: 'Install them.' },
      { code: 'KW310', what: 'it has 1 CPU', hint: 'Give it more.' },
    ];
    const probe = async (step: Step): Promise<Probe> => {
      if (step.id === 'cp-1/preflight') return { ...holds('fit'), warnings: ['KW340: unproven. Try it first.'] };
      if (step.id !== 'cp-2/preflight') return holds('yes');
      const problem = preflightError(problems, 'cp-2');
      return { done: false, found: '2 problem(s)', changes: [], warnings: ['KW323: old chains. Reboot.'], problem };
    };
    const findings = await lookAtPlan({ plan, probe });
    expect(summarize(findings)).toMatchObject({ problems: 1, toDo: 0 });
    const text = planLines(cluster, findings, createTheme(false, true), 200).join('\n');
    expect(text).toMatch(/✓ preflight +fit\n +warning: KW340: unproven\. Try it first\./);
    expect(text).toMatch(
      /✗ preflight +2 things stand in the way:\n +KW304 it lacks .*\n +Install them\.\n +KW310 .*\n +Give it more\.\n +Mend them all.*\n +warning: KW323/,
    );
    expect(findingEvent(findings[0] as Finding)).toMatchObject({ warnings: ['KW340: unproven. Try it first.'] });
  });

  it('says a warning of several hosts once, with their names, and each in its own object for machines', async () => {
    const probe = async (step: Step): Promise<Probe> => {
      if (!step.id.endsWith('/preflight') || step.host === null) return holds('yes');
      const own = step.host === 'w-1' ? ['KW323: old chains. Reboot.'] : [];
      return { ...holds('fit'), warnings: ['KW319: it has no package lists. Wait.', ...own] };
    };
    const findings = await lookAtPlan({ plan, probe });
    const text = planLines(cluster, findings, createTheme(false, true), 200).join('\n');
    expect(text.match(/KW319.*/g)).toEqual(['KW319: it has no package lists. Wait.']);
    expect(text).toContain('several hosts\n  warning: cp-1, cp-2 and w-1: KW319');
    expect(text).toMatch(/✓ preflight +fit\n +warning: KW323/);
    const told = findings
      .map((one) => findingEvent(one))
      .filter((one) => one.warnings?.some((each) => /KW319/.test(each)));
    expect(told.map(({ host }) => host)).toEqual(['cp-1', 'cp-2', 'w-1']);
  });

  it('looks at hosts side by side', async () => {
    const waiting = new Set<string>();
    let release = () => {};
    const all = new Promise<void>((resolve) => {
      release = resolve;
    });
    // Every host's first probe waits until all hosts have been asked: one after the other would never end.
    const probe = async (step: Step): Promise<Probe> => {
      if (step.host !== null) waiting.add(step.host);
      if (waiting.size === cluster.hosts.length) release();
      await all;
      return holds('yes');
    };
    const findings = await lookAtPlan({ plan, probe });
    expect(summarize(findings)).toEqual({ true: plan.length, toDo: 0, later: 0, problems: 0 });
  });

  it('makes a located problem of whatever a probe throws', async () => {
    const findings = await lookAtPlan({
      plan: plan.slice(0, 1),
      probe: async () => {
        throw new TypeError('x is not a function');
      },
    });
    const [first] = findings as [Finding & { state: 'problem' }];
    expect(first.error).toMatchObject({ code: 'KW499', host: 'cp-1', step: 'cp-1/preflight' });
  });
});
