import { describe, expect, test } from 'vitest';
import { ALL_NAMES, AREAS, CONFORMANCE } from '../../lab/conformance/list.js';
import { focusOf, type GinkgoReport, outcomesOf } from '../../lab/conformance/run.js';

describe('the part of the conformance suite', () => {
  test('has tests of each area, and each of them once', () => {
    expect(AREAS).toEqual(['DNS', 'Services', 'networking between nodes', 'scheduling']);
    for (const area of AREAS) expect(CONFORMANCE[area].length, area).toBeGreaterThanOrEqual(4);
    expect(new Set(ALL_NAMES).size).toBe(ALL_NAMES.length);
    for (const name of ALL_NAMES) expect(name).toMatch(/^\[sig-[a-z]+\] .*\[Conformance\]/);
  });
});

describe('the focus', () => {
  const focus = new RegExp(focusOf(ALL_NAMES));
  const seen = (name: string): boolean => focus.test(`Kubernetes e2e suite ${name}`);

  test('fits each name', () => {
    expect(ALL_NAMES.filter((name) => !seen(name))).toEqual([]);
  });

  test('fits nothing that is longer, shorter or only looks alike', () => {
    const [first = ''] = ALL_NAMES;
    for (const other of [`${first} [Slow]`, first.replace(' [Conformance]', ''), `x ${first}`, first.slice(1)]) {
      expect(seen(other), other).toBe(false);
    }
    const withDot = ALL_NAMES.find((name) => name.includes('.')) ?? '';
    expect(withDot).not.toBe('');
    expect(seen(withDot.replace('.', 'x'))).toBe(false);
  });
});

describe('the outcomes', () => {
  const spec = (name: string, State: string, message?: string) => ({
    LeafNodeType: 'It',
    ContainerHierarchyTexts: ['[sig-x] Area'],
    LeafNodeText: name,
    State,
    RunTime: 2_500_000_000,
    ...(message === undefined ? {} : { Failure: { Message: message } }),
  });
  const report: GinkgoReport = {
    SpecReports: [
      { LeafNodeType: 'BeforeSuite', ContainerHierarchyTexts: null, LeafNodeText: '', State: 'passed', RunTime: 1 },
      spec('works', 'passed'),
      spec('fails', 'failed', 'no answer'),
      spec('passes itself over', 'skipped', 'needs three nodes'),
      spec('is out of focus', 'skipped'),
    ],
  };
  const states = (...names: string[]) =>
    [...outcomesOf([report], names)].map(([name, { state }]) => `${name.replace('[sig-x] Area ', '')}: ${state}`);

  test('tell what passed from what failed, was passed over, or is not there', () => {
    const names = ['works', 'fails', 'passes itself over', 'is out of focus', 'was renamed'];
    expect(states(...names.map((name) => `[sig-x] Area ${name}`))).toEqual([
      'works: passed',
      'fails: failed: no answer',
      'passes itself over: skipped: needs three nodes',
      'is out of focus: skipped',
      'was renamed: not there',
    ]);
  });

  test('are in seconds', () => {
    expect(outcomesOf([report], ['[sig-x] Area works']).get('[sig-x] Area works')?.seconds).toBe(2.5);
  });
});
