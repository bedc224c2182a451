import { describe, expect, it } from 'vitest';
import { componentOf, componentVerdicts, verdictOf, worse } from '../../../src/plan/findings.js';

const looks = ['cp-1/api-server', 'cluster/endpoint', 'cluster/etcd', 'cluster/nodes', 'cluster/dns'];
const all = { looks, failed: [], findings: [], more: 0 };
const found = (code: string, look?: string) => ({ code, ...(look === undefined ? {} : { look }) });

/** What a check finds while no host can be reached: none of its looks sees anything. */
const BLIND = {
  ...all,
  failed: ['cp-1/api-server'],
  findings: [
    found('KW603'),
    found('KW201', 'cp-1/api-server'),
    found('KW681', 'cluster/endpoint'),
    found('KW683', 'cluster/etcd'),
    found('KW684', 'cluster/nodes'),
    found('KW602', 'cluster/dns'),
  ],
};

describe('the verdict', () => {
  it('is ok where nothing was found', () => {
    expect(verdictOf(all)).toBe('ok');
  });

  it.each([
    ['an API server', found('KW601', 'cp-1/api-server')],
    ['a member of etcd', found('KW476', 'cluster/etcd')],
    ['the balancer', found('KW482', 'cluster/endpoint')],
    ['the record of what was applied', found('KW603')],
    ['a code that this version does not know', found('KW699', 'w-1/host')],
    ['a host that is away', found('KW201', 'w-1/host')],
  ])('is degraded where something is wrong with %s', (_, finding) => {
    expect(verdictOf({ ...all, findings: [finding] })).toBe('degraded');
  });

  it('is ok where all that was found is that somebody could not be told', () => {
    expect(verdictOf({ ...all, findings: [found('KW686')] })).toBe('ok');
    expect(componentVerdicts({ ...all, findings: [found('KW686')] })).not.toHaveProperty('hosts');
  });

  it('is degraded where more was found than is named', () => {
    expect(verdictOf({ ...all, more: 3 })).toBe('degraded');
  });

  it.each(['KW680', 'KW682'])('is down by %s, whatever else could not be looked at', (code) => {
    expect(verdictOf({ ...BLIND, findings: [...BLIND.findings, found(code, 'cluster/etcd')] })).toBe('down');
  });

  it('is unknown where no look saw anything, and no longer once one did', () => {
    expect(verdictOf(BLIND)).toBe('unknown');
    expect(verdictOf({ ...BLIND, looks: [...looks, 'w-1/host'] })).toBe('degraded');
    expect(verdictOf({ ...BLIND, findings: [...BLIND.findings, found('KW476', 'cluster/etcd')] })).toBe('degraded');
  });
});

describe('components', () => {
  it('are told by the code, else by the look, else it is the host', () => {
    expect(componentOf(found('KW476', 'cluster/nodes'))).toBe('etcd');
    expect(componentOf(found('KW201', 'cp-2/api-server'))).toBe('api');
    expect(componentOf(found('KW201', 'w-1/host'))).toBe('hosts');
    expect(componentOf(found('KW603'))).toBe('hosts');
    expect(componentOf(found('KW663', 'cp-1/host'))).toBe('etcd');
  });

  it('have a verdict each: one that is broken, one that was not seen, and the others', () => {
    const findings = [found('KW682', 'cluster/etcd'), found('KW602', 'cluster/dns')];
    expect(componentVerdicts({ ...all, findings })).toEqual({
      api: 'ok',
      endpoint: 'ok',
      etcd: 'down',
      nodes: 'ok',
      dns: 'unknown',
    });
  });

  it('are not unseen where a look at a host has seen them', () => {
    const findings = [found('KW683', 'cluster/etcd'), found('KW662', 'cp-1/host')];
    expect(componentVerdicts({ ...all, findings }).etcd).toBe('degraded');
  });
});

it('the worse of two verdicts is the one that a person would want to hear of', () => {
  expect(worse('ok', 'unknown')).toBe('unknown');
  expect(worse('degraded', 'unknown')).toBe('degraded');
  expect(worse('degraded', 'down')).toBe('down');
});
