import { describe, expect, it } from 'vitest';
import { unknown, yes } from '../../../../../src/activities/answers.js';
import type { PeerFacts } from '../../../../../src/activities/prepare/facts/cluster-facts.js';
import { type Heard, judge } from '../../../../../src/components/load-balancer/vrrp/advertisements.js';

const PEERS = ['cp-1', 'cp-2'].map((name, index) => ({
  name,
  addresses: [{ address: `10.88.0.1${index + 1}`, mac: '', card: 'eth0' }],
})) as unknown as PeerFacts[];

const heard = (host: string, ...all: [router: string, id: number, ...addresses: string[]][]): Heard => ({
  host,
  advertisements: yes(all.map(([router, id, ...addresses]) => ({ router, id, addresses }))),
});

describe('VRRP groups on the wire', () => {
  it('of another id are no problem, and neither are the hosts’ own', () => {
    expect(
      judge(100, PEERS, [heard('cp-1', ['10.88.0.1', 51, '10.88.0.254'], ['10.88.0.12', 100, '10.88.0.100'])]),
    ).toEqual([]);
  });

  it('with the cluster’s id are told once, with who it is, for what, and which ids are in use', () => {
    const of = (host: string) =>
      heard(host, ['10.88.0.9', 100, '10.88.0.254', '10.88.0.253'], ['10.88.0.1', 51, '10.88.0.1']);
    expect(judge(100, PEERS, [of('cp-1'), of('cp-2')])).toEqual([
      expect.objectContaining({
        code: 'KW353',
        what: 'VRRP id 100 is in use on this network: 10.88.0.9 advertises it for 10.88.0.254 and 10.88.0.253',
        hint: expect.stringContaining('in use are 51 and 100'),
      }),
    ]);
  });

  it('that a host could not listen for are not taken for none', () => {
    expect(judge(100, PEERS, [{ host: 'cp-1', advertisements: unknown('it has no perl') }, heard('cp-2')])).toEqual([
      expect.objectContaining({ code: 'KW339', hosts: ['cp-1'], what: expect.stringContaining('it has no perl') }),
    ]);
  });
});
