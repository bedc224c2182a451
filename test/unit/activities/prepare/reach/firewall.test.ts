import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { gatherFirewall } from '../../../../../src/activities/prepare/reach/firewall.js';
import type { RemoteHost } from '../../../../../src/hosts/types.js';

interface Rules {
  nft?: string;
  iptables?: string;
  /** Bash functions in place of those that print these. */
  programs?: string;
}

/** In a real bash, with what nft and iptables-save print. */
function firewall({ nft = '', iptables = '', programs = '' }: Rules) {
  const stubs = `timeout() { shift; "$@"; }
ufw() { echo 'Status: inactive'; }
systemctl() { return 3; }
nft() { cat <<'RULES'
${nft}
RULES
}
iptables-save() { cat <<'RULES'
${iptables}
RULES
}
iptables-legacy-save() { :; }
${programs}
`;
  // The kernel's modules are this machine's, whatever they are.
  const run = async (script: string) => {
    const text = script.replace('read_rules 2>', `${stubs}at_work() { :; }\nread_rules 2>`);
    return { ...(await execa('bash', ['--norc', '-c', text])), durationMs: 1 };
  };
  return gatherFirewall({ name: 'cp-1', run } as unknown as RemoteHost, new AbortController().signal);
}

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
  it('is the front end where there is one: rules beside its own are lost', async () => {
    const ufw = "ufw() { echo 'Status: active'; }";
    expect(await firewall({ programs: ufw, nft: CHAIN('drop') })).toEqual({ kind: 'ufw' });
    const firewalld = '[ "$*" = "is-active --quiet firewalld" ]';
    expect(await firewall({ programs: `systemctl() { ${firewalld}; }`, nft: CHAIN('drop') })).toEqual({
      kind: 'firewalld',
    });
  });

  it('is the chain of nftables that drops what comes in, by policy or by rule', async () => {
    expect(await firewall({ nft: CHAIN('drop') })).toEqual({ kind: 'nft', chain: 'inet f i' });
    expect(await firewall({ nft: CHAIN('accept', '\t\tudp dport 8472 drop\n') })).toEqual({
      kind: 'nft',
      chain: 'inet f i',
    });
  });

  it.each(['prerouting', 'ingress'])('is also a chain at %s', async (hook) => {
    const nft = CHAIN('accept', '\t\tudp dport 8472 drop\n').replace('hook input', `hook ${hook}`);
    expect(await firewall({ nft })).toEqual({ kind: 'nft', chain: 'inet f i' });
  });

  it('is the chain that drops the rest, where another one before it drops some', async () => {
    const some = CHAIN('accept', '\t\tip saddr 10.9.9.9 drop\n').replace('inet f', 'inet a');
    expect(await firewall({ nft: `${some}\n${CHAIN('drop')}` })).toEqual({ kind: 'nft', chain: 'inet f i' });
  });

  it('is iptables where its chain drops, also as nftables shows it', async () => {
    const nft = 'table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}';
    const iptables = '*filter\n:INPUT DROP [0:0]\nCOMMIT';
    expect(await firewall({ nft, iptables })).toEqual({ kind: 'iptables' });
    expect(await firewall({ nft, programs: 'iptables-save() { return 1; }' })).toEqual({ kind: 'iptables' });
    const some = '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p vrrp -j DROP\n-A INPUT -j ACCEPT\nCOMMIT';
    expect(await firewall({ iptables: some })).toEqual({ kind: 'iptables' });
  });

  it('is nothing where nothing drops, or only on the way out', async () => {
    expect(await firewall({})).toEqual({ kind: 'none' });
    const iptables = '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\n-A OUTPUT -j DROP\nCOMMIT';
    expect(await firewall({ nft: CHAIN('accept'), iptables })).toEqual({ kind: 'none' });
  });

  it('is not known where the rules cannot be read, which is not the same as nothing', async () => {
    expect(await firewall({ programs: 'nft() { return 1; }' })).toBeUndefined();
  });
});
