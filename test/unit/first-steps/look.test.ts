import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { complete } from '../../../src/first-steps/complete.js';
import type { Draft, FoundHost } from '../../../src/first-steps/draft.js';
import { LeftOut } from '../../../src/first-steps/left-out.js';
import { applyLooks } from '../../../src/first-steps/look/apply.js';
import type { HostLook } from '../../../src/first-steps/look/facts.js';
import { lookAtDraft } from '../../../src/first-steps/look/index.js';
import { renderDraft } from '../../../src/first-steps/render.js';
import { HOST_KEYS, runLocally, SshServer, Surroundings } from '../hosts/ssh-server.js';
import { notRunHere } from '../not-run.js';

interface FakeHost {
  /** `CARD ADDRESS/PREFIX` each. */
  cards: string[];
  gateway?: string;
  /** Addresses that somebody on its wire answers for. */
  answering?: string[];
  /** Bash that is true on it besides. */
  besides?: string;
}

let where: Surroundings;
let servers: SshServer[];
beforeEach(() => {
  where = new Surroundings();
  servers = [];
});
afterEach(async () => {
  await where.end();
  await Promise.all(servers.map((server) => server.stop()));
});

/** An SSH server whose bash has an `ip` of its own; everything else there is this machine's. */
async function start({ cards, gateway, answering = [], besides = '' }: FakeHost): Promise<SshServer> {
  const file = path.join(where.home, `ip-${servers.length}`);
  const source = cards[0]?.split(' ')[1]?.replace(/\/.*/, '');
  writeFileSync(
    file,
    `asked=
ip() {
  case "$*" in
    '-o -4 address show') ${['lo 127.0.0.1/8', ...cards].map((card, at) => `echo '${at + 1}: ${card.replace(' ', ' inet ')} scope global'`).join('; ')} ;;
    '-4 route show default') ${gateway === undefined ? ':' : `echo 'default via ${gateway} dev eth0'`} ;;
    '-4 route get 192.0.2.1') echo '192.0.2.1 via 10.0.0.1 dev eth0 src ${source} uid 0' ;;
    '-4 route get '*) echo "$4 dev eth0 src ${source}" ;;
    '-4 neighbour show to '*) case $5 in ${answering.map((each) => `${each}) echo "$5 dev eth0 lladdr 02:00:00:00:00:01 REACHABLE" ;;`).join(' ')} *) echo "$5 dev eth0 FAILED" ;; esac ;;
    *) return 1 ;;
  esac
}
sleep() { :; }
uname() { echo riscv64; }
export -f ip sleep uname
${besides}
`,
  );
  const server = await SshServer.start({ onExec: runLocally({ ...process.env, BASH_ENV: file }) });
  servers.push(server);
  where.trust(server);
  return server;
}

const host = (server: SshServer, address: string, more: Partial<FoundHost> = {}): FoundHost => {
  const ssh = { address: '127.0.0.1', port: server.port, keyFile: where.keyFile };
  return { role: 'control-plane', runsPods: false, address, ...more, ssh };
};

async function look(hosts: FoundHost[], settings: Draft['settings'] = {}): Promise<Draft> {
  writeFileSync(path.join(where.home, 'empty'), '');
  return lookAtDraft(complete({ hosts, settings }, new LeftOut()), {
    env: {},
    // known_hosts is the only thing of ~/.ssh that is there.
    homeDirectory: where.home,
    directory: where.home,
    signal: new AbortController().signal,
  });
}

beforeEach(async () => {
  const { mkdirSync, symlinkSync } = await import('node:fs');
  mkdirSync(path.join(where.home, '.ssh'));
  writeFileSync(where.knownHosts, '');
  symlinkSync(where.knownHosts, path.join(where.home, '.ssh/known_hosts'));
});

const CARD = { card: 'eth0', address: '10.0.0.11', prefixLength: 24 };
const NO_LOOK: HostLook = {
  os: {
    id: 'debian',
    idLike: [],
    versionId: '12',
    prettyName: 'Debian GNU/Linux 12 (bookworm)',
  } as unknown as HostLook['os'],
  machine: 'x86_64',
  cards: [],
  addresses: [],
  gateways: [],
  source: undefined,
  isNode: false,
};

describe('a look', () => {
  it('says what a host is, and proposes the last free address of its subnet', async () => {
    const server = await start({
      cards: ['eth0 10.0.0.11/25', 'docker0 172.17.0.1/16'],
      gateway: '10.0.0.126',
      answering: ['10.0.0.125', '10.0.0.124'],
    });
    const draft = await look([
      host(server, '10.0.0.11'),
      host(await start({ cards: ['eth0 10.0.0.123/25'] }), '10.0.0.123'),
    ]);
    expect(draft.hosts[0]?.remarks).toEqual([expect.stringMatching(/, riscv64, eth0 10\.0\.0\.11\/25$/)]);
    expect(draft.settings).toMatchObject({ vip: '10.0.0.122', prefixLength: 25 });
    const text = renderDraft(draft);
    expect(text).toMatch(
      /# Nobody answered for it when cp-1 asked on \d{4}-\d\d-\d\d; .*\n {4}vip: 10\.0\.0\.122\n {4}prefixLength: 25 /,
    );
    expect(text).toMatch(/ {4}# .*riscv64, eth0 10\.0\.0\.11\/25\n {4}- (\{ )?name: cp-1/);
  });

  it('finds addresses that are only ways to a host, and keeps the way', async () => {
    const server = await start({ cards: ['eth0 10.0.0.11/24', 'eth1 192.168.5.5/24'] });
    const found = host(server, '10.0.0.11');
    const draft = await look([{ ...found, address: undefined, ssh: { ...found.ssh, address: '127.0.0.1' } }]);
    expect(draft.hosts[0]).toMatchObject({ address: '10.0.0.11', ssh: { address: '127.0.0.1' } });
  });

  it('takes the host’s own address for one that only leads to it, and tells', () => {
    const draft = complete(
      { hosts: [{ role: 'control-plane', runsPods: false, ssh: { address: '203.0.113.5' } }], settings: {} },
      new LeftOut(),
    );
    const looks = new Map([
      ['cp-1', { look: { ...NO_LOOK, cards: [CARD], addresses: [CARD.address], source: CARD.address } }],
    ]);
    const seen = applyLooks(draft, looks);
    expect(seen.hosts[0]).toMatchObject({ address: '10.0.0.11', ssh: { address: '203.0.113.5' } });
    expect(seen.findings).toContain('cp-1: 203.0.113.5 leads to it, and its own address is 10.0.0.11');
  });

  it('tells a distribution that is not supported, and a host that is a node already', () => {
    const draft = complete(
      { hosts: [{ role: 'worker', runsPods: true, address: '10.0.0.11', ssh: {} }], settings: {} },
      new LeftOut(),
    );
    const os = { ...NO_LOOK.os, id: 'slackware', prettyName: 'Slackware 15' };
    const look = { ...NO_LOOK, os, cards: [CARD], addresses: [CARD.address], isNode: true };
    expect(applyLooks(draft, new Map([['w-1', { look }]])).findings).toEqual([
      'w-1: it runs Slackware 15, which is not supported',
      expect.stringMatching(/^w-1: it is a Kubernetes node already/),
    ]);
  });

  it('tells an address that a host does not have, and leaves it', async () => {
    const server = await start({ cards: ['eth0 10.0.0.11/24'] });
    const draft = await look([host(server, '10.9.9.9')]);
    expect(draft.hosts[0]?.address).toBe('10.9.9.9');
    expect(draft.findings).toEqual([expect.stringContaining('cp-1: 10.9.9.9 is on none of its cards')]);
    expect(draft.settings.vip).toBeUndefined();
  });

  it('keeps a host that cannot be reached, and says why', async () => {
    const server = await start({ cards: ['eth0 10.0.0.11/24'] });
    writeFileSync(where.knownHosts, '');
    where.trust(server, HOST_KEYS.other);
    const draft = await look([host(server, '10.0.0.11')]);
    expect(draft.findings).toEqual([expect.stringMatching(/^could not look at cp-1: KW221, /)]);
    expect(renderDraft(draft)).toMatch(/ {4}# Not looked at: KW221, .*\n {4}- (\{ )?name: cp-1/);
    expect(renderDraft(draft)).toMatch(/# Nobody was asked whether an address is free: .*\n {4}# vip: 10\.0\.0\.N/);
  });

  it('asks for a virtual IP that is given, and doubts one that somebody has', async () => {
    const server = await start({ cards: ['eth0 10.0.0.11/24'], answering: ['10.0.0.9'] });
    const hosts = [host(server, '10.0.0.11')];
    const taken = await look(hosts, { vip: '10.0.0.9' });
    expect(taken.settings.vip).toBe('10.0.0.9');
    expect(taken.findings).toEqual([
      expect.stringMatching(/^the virtual IP 10\.0\.0\.9: somebody answers for it \(02:00:/),
    ]);
    expect((await look(hosts, { vip: '10.0.0.10' })).findings).toEqual([]);
  });

  it('proposes none where control planes share no subnet, and none beside a load balancer', async () => {
    const [one, two] = [await start({ cards: ['eth0 10.0.0.11/24'] }), await start({ cards: ['eth0 10.0.1.11/24'] })];
    const hosts = [host(one, '10.0.0.11'), host(two, '10.0.1.11')];
    const apart = await look(hosts);
    expect([apart.settings.vip, apart.settings.vipRemark]).toEqual([
      undefined,
      expect.stringContaining('in no common subnet'),
    ]);
    const external = { address: 'lb.example.org', port: 6443 };
    expect((await look(hosts, { external })).settings).toEqual({ external });
  });

  it('looks at hosts as a user without sudo, and says that nobody could be asked for a virtual IP', async (context) => {
    if (spawnSync('sudo', ['-n', 'true']).status === 0)
      notRunHere(context, 'sudo lets everybody be root on this machine');
    const server = await start({ cards: ['eth0 10.0.0.11/24'] });
    const found = host(server, '10.0.0.11');
    const draft = await look([{ ...found, ssh: { ...found.ssh, user: 'ops' } }]);
    expect(draft.hosts[0]?.remarks).toEqual([expect.stringContaining('eth0 10.0.0.11/24')]);
    expect([draft.settings.vip, draft.settings.vipRemark]).toEqual([
      undefined,
      expect.stringMatching(/^cp-1 could not be asked who answers: .*sudo/),
    ]);
  });

  it('proposes none where everybody answers', async () => {
    const all = Array.from({ length: 6 }, (_, at) => `10.0.0.${at + 1}`);
    const server = await start({ cards: ['eth0 10.0.0.1/29'], answering: all });
    const draft = await look([host(server, '10.0.0.1')]);
    expect([draft.settings.vip, draft.settings.vipRemark]).toEqual([
      undefined,
      expect.stringContaining('None was found that is surely free'),
    ]);
  });
});
