import { describe, expect, it } from 'vitest';
import { firewallOf } from '../../../../../src/activities/prepare/reach/firewall.js';

const firewall = (facts: Record<string, string>) =>
  firewallOf({ holds: (name) => name in facts, text: (name) => facts[name] ?? '' });

const CHAIN = (policy: string, rules = '') => `table inet f {
	chain i {
		type filter hook input priority filter; policy ${policy};
		ct state established,related accept
${rules}	}

	chain o {
		type filter hook output priority filter; policy drop;
	}
}`;

describe('what filters packets on a host', () => {
  it('is the front end where there is one: rules beside its own are lost', () => {
    expect(firewall({ ufw: '', nft: CHAIN('drop') })).toEqual({ kind: 'ufw' });
    expect(firewall({ firewalld: '', nft: CHAIN('drop') })).toEqual({ kind: 'firewalld' });
  });

  it('is the chain of nftables that drops what comes in, by policy or by rule', () => {
    expect(firewall({ nft: CHAIN('drop') })).toEqual({ kind: 'nft', chain: 'inet f i' });
    expect(firewall({ nft: CHAIN('accept', '\t\tudp dport 8472 drop\n') })).toEqual({ kind: 'nft', chain: 'inet f i' });
  });

  it('is iptables where its chain drops, also as nftables shows it', () => {
    const nft = 'table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}';
    expect(firewall({ nft, iptables: '-P INPUT DROP' })).toEqual({ kind: 'iptables' });
    expect(firewall({ nft })).toEqual({ kind: 'iptables' });
    expect(firewall({ iptables: '-P INPUT ACCEPT\n-A INPUT -p vrrp -j DROP' })).toEqual({ kind: 'iptables' });
  });

  it('is nothing where nothing drops, or only on the way out', () => {
    expect(firewall({})).toEqual({ kind: 'none' });
    expect(firewall({ nft: CHAIN('accept'), iptables: '-P INPUT ACCEPT\n-A INPUT -j ACCEPT' })).toEqual({
      kind: 'none',
    });
  });
});
