import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkHostHealth } from '../../../../../src/activities/check/checkHostHealth.js';
import { together } from '../../../../../src/activities/check/host/findings.js';
import { clusterOf } from '../../../cluster-fixture.js';
import { BashHosts } from '../../bash-hosts.js';

const CLUSTER = clusterOf({ controlPlanes: 1, workers: 1, etcd: 1, directors: 1 });

/** systemd's answers about the services of a worker. */
const told = (state: string) =>
  ['containerd', 'kubelet'].map((name) => `printf '%s\\n' ${state} Id=${name}.service ''`).join('; ');
const WELL = told('ActiveState=active SubState=running Result=success');
const RESTARTING = told('ActiveState=activating SubState=auto-restart Result=exit-code');

let hosts: BashHosts;

beforeEach(() => {
  hosts = new BashHosts(CLUSTER);
  hosts.program('systemctl', 'exit 1');
  hosts.program('journalctl', 'exit 1');
});

afterEach(() => hosts.remove());

const look = (name: string) =>
  checkHostHealth.probe(hosts.context('checkHostHealth', name, new AbortController().signal));

describe('a look at a host', () => {
  it.each(['cp-1', 'w-1', 'etcd-1', 'lb-1'])('changes nothing, whatever its role: %s', async (name) => {
    const { done, changes, findings = [] } = await look(name);
    expect({ done, changes }).toEqual({ done: true, changes: [] });
    expect(
      findings.every(({ host, evidence, hint }) => host === name && evidence.startsWith(`${name}: `) && hint !== ''),
    ).toBe(true);
    // Nothing can be asked on it, and so nothing is said to be right.
    expect(findings.map(({ code }) => code)).toContain('KW642');
    const codes = findings.map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it('is one round trip, whatever is wrong', async () => {
    const codesOf = async () => ((await look('w-1')).findings ?? []).map(({ code }) => code);
    hosts.program('systemctl', WELL);
    expect(await codesOf()).not.toContain('KW650');
    expect(hosts.trips).toBe(1);
    hosts.program('systemctl', RESTARTING);
    expect(await codesOf()).toContain('KW650');
    expect(hosts.trips).toBe(2);
  });

  it('asks a systemd that hangs no longer than it has to', { timeout: 90_000 }, async () => {
    hosts.program('systemctl', '[ "$1" = show ] || exit 0; exec sleep 60');
    const began = Date.now();
    const { findings = [] } = await look('w-1');
    expect(findings.find(({ code }) => code === 'KW642')?.evidence).toContain('its services could not be looked at');
    expect(Date.now() - began).toBeLessThan(50_000);
  });

  it('that does not come whole is no look', async () => {
    for (const kind of ['half of it comes back', 'nothing comes back', 'garbage comes back'] as const) {
      hosts.fault = { trip: hosts.trips + 1, kind };
      await expect(look('w-1'), kind).rejects.toMatchObject({ code: 'KW437', transient: true });
    }
  });

  it('at a host that is away is what its other steps say of it', async () => {
    hosts.away.add('w-1');
    await expect(look('w-1')).rejects.toMatchObject({ code: 'KW202' });
  });
});

describe('the findings of a host', () => {
  const fault = (code: string, evidence: string) => ({ code, evidence, hint: `mend ${code}` });

  it('are one for each code, in the order of the faults', () => {
    expect(together('w-1', [fault('KW650', 'a'), fault('KW646', 'b'), fault('KW650', 'c')])).toEqual([
      { code: 'KW650', host: 'w-1', evidence: 'w-1: a; c', hint: 'mend KW650' },
      { code: 'KW646', host: 'w-1', evidence: 'w-1: b', hint: 'mend KW646' },
    ]);
  });

  it('are short, and hold nothing that a terminal would act on', () => {
    const many = Array.from({ length: 20 }, (_, n) => fault('KW642', `\u001b[31m${n}${'x'.repeat(2_000)}`));
    const [finding] = together('w-1', many);
    expect(finding?.evidence.length).toBeLessThan(1_000);
    expect(finding?.evidence).toMatch(/^w-1: 0x+; 1x+; 2x+; and 17 more$/);
  });
});
