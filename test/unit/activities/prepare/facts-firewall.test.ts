import { describe, expect, it } from 'vitest';
import { facts, makeHosts, program } from './facts-host.js';

makeHosts();

describe('a firewall', () => {
  const INET = (policy: string, last = '', rule = '') =>
    `table inet f {\n\tchain i {\n\t\ttype filter hook input priority filter; policy ${policy};\n\t\tct state established accept\n${rule}${last}\t}\n}\n`;
  const nft = (text: string) => program('nft', `cat <<'END'\n${text}END`);

  it.each([
    ['a policy that drops', INET('drop'), ['inet f i']],
    [
      'a last rule that rejects',
      INET('accept', '\t\tcounter packets 3 bytes 180 reject with icmpx admin-prohibited\n'),
      ['inet f i'],
    ],
    ['a rule that drops some', INET('accept', '', '\t\tip saddr 10.9.9.9 drop\n'), []],
    ['nothing against anybody', INET('accept'), []],
    ['a chain of forwarded packets that drops', INET('drop').replace('hook input', 'hook forward'), ['inet f i']],
    [
      'Docker’s policy for forwarded packets',
      'table ip filter {\n\tchain FORWARD {\n\t\ttype filter hook forward priority filter; policy drop;\n\t}\n}\n',
      [],
    ],
    [
      'a chain in the name of iptables, where no iptables tells of it',
      INET('drop').replace('table inet f', 'table ip filter').replace('chain i', 'chain INPUT'),
      ['ip filter INPUT'],
    ],
    ['rules for IPv6 alone', INET('drop').replace('inet f', 'ip6 f'), []],
  ])('of nftables is seen by %s', (_, text, names) => {
    nft(text);
    expect(facts().firewalls.map(({ name }) => name)).toEqual(names);
  });

  it.each([
    ['*filter\n:INPUT DROP [0:0]\nCOMMIT', ['INPUT']],
    [
      '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\n-A INPUT -j REJECT --reject-with icmp-host-prohibited\nCOMMIT',
      ['INPUT'],
    ],
    ['*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\n-A INPUT -j KUBE-FIREWALL\nCOMMIT', []],
    ['*nat\n:INPUT DROP [0:0]\nCOMMIT\n*filter\n:INPUT ACCEPT [0:0]\nCOMMIT', []],
  ])('of iptables is seen: %j', (text, names) => {
    program('iptables-save', `cat <<'END'\n${text}\nEND`);
    program('nft', '');
    expect(facts().firewalls).toEqual(names.map((name) => ({ kind: 'iptables', name })));
  });

  it('that a program keeps is called by the program’s name', () => {
    program('ufw', "echo 'Status: active'");
    program('nft', '');
    expect(facts().firewalls).toEqual([{ kind: 'ufw', name: 'ufw' }]);
    program('ufw', "echo 'Status: inactive'");
    expect(facts().firewalls).toEqual([]);
  });

  it('knows the pods when a rule names their network or their bridge', () => {
    nft(INET('drop'));
    expect(facts().firewallLetsPodsIn).toBe(false);
    nft(INET('drop', '', '\t\tip saddr { 10.88.0.0/24, 10.244.0.0/16 } accept\n'));
    expect(facts().firewallLetsPodsIn).toBe(true);
    nft(INET('drop', '', '\t\tiifname "cni0" accept\n'));
    expect(facts().firewallLetsPodsIn).toBe(true);
  });

  it('that cannot be read is not known, which is not the same as none', () => {
    program('nft', 'exit 1');
    expect(facts().unknowns).toEqual([expect.objectContaining({ what: 'its firewall rules' })]);
  });
});
