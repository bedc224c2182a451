import { describe, expect, test } from 'vitest';
import { BASE, brief, parse, problemsOf } from '../../../cluster/helpers.js';

/** The stacked base with this section. */
const withEtcd = (...lines: string[]) => `${BASE}  etcd:\n${lines.map((line) => `    ${line}\n`).join('')}`;

describe('etcd.runner', () => {
  test('goes with either place, which the hosts tell; left out, the file comes to what it came to before', () => {
    expect(parse(BASE).etcd).toEqual({ topology: 'stacked', extraArgs: [] });
    expect(parse(withEtcd('runner: static-pods')).etcd).toEqual({ topology: 'stacked', extraArgs: [] });
    const own = { runner: 'systemd', certificateValidityDays: 365, certificateSANs: [], extraArgs: [] };
    expect(parse(withEtcd('runner: systemd')).etcd).toEqual({ topology: 'stacked', ...own });
    const hosts = ['1', '2', '3']
      .map((n) => `    - { name: etcd-${n}, address: 10.88.0.3${n}, role: etcd }\n`)
      .join('');
    expect(parse(`${BASE}${hosts}  etcd: { runner: systemd }\n`).etcd).toEqual({ topology: 'external', ...own });
  });

  test('brings its own keys', () => {
    expect(
      parse(withEtcd('runner: systemd', 'certificateValidityDays: 90', 'certificateSANs: [etcd.example.org]')).etcd,
    ).toMatchObject({ certificateValidityDays: 90, certificateSANs: ['etcd.example.org'] });
  });

  test.each([
    ['a runner that is none', ['runner: docker'], ['22:13 bad-value spec.etcd.runner']],
    [
      'days that are too few',
      ['runner: systemd', 'certificateValidityDays: 1'],
      ['23:30 bad-value spec.etcd.certificateValidityDays'],
    ],
    [
      'a duration',
      ['runner: systemd', 'certificateValidityDays: 43800h'],
      ['23:30 bad-value spec.etcd.certificateValidityDays'],
    ],
    [
      'a name that is none',
      ['runner: systemd', 'certificateSANs: ["a b"]'],
      ['23:23 bad-value spec.etcd.certificateSANs[0]'],
    ],
    [
      'keys that only systemd obeys, all at once',
      ['certificateValidityDays: 90', 'certificateSANs: []'],
      [
        '22:5 key-of-another-choice spec.etcd.certificateValidityDays',
        '23:5 key-of-another-choice spec.etcd.certificateSANs',
      ],
    ],
    [
      'etcd hosts that are not there, whatever runs the members',
      ['topology: external', 'runner: systemd'],
      ['22:15 no-etcd-host spec.etcd.topology'],
    ],
    [
      'a flag that Kubewright sets',
      ['runner: systemd', 'extraArgs: { data-dir: /srv }'],
      ['23:18 managed-flag spec.etcd.extraArgs.data-dir'],
    ],
  ])('%s is refused at its place', (_, lines, expected) => {
    expect(problemsOf(withEtcd(...lines)).map(brief)).toEqual(expected);
  });
});
