import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ClusterHost, hostsOf } from '../../../../../src/cluster/types.js';
import { renderKeepalivedDropIn } from '../../../../../src/components/load-balancer/vrrp/render/drop-in.js';
import { clusterOf } from '../../../cluster-fixture.js';

const [HOST, ...PEERS] = hostsOf(clusterOf({ controlPlanes: 3, workers: 1 }), 'control-plane') as [
  ClusterHost,
  ...ClusterHost[],
];
const [FIRST, SECOND] = PEERS.map(({ address }) => address) as [string, string];

/** What systemd hands to bash: the text between the quotes, with its own `$$` undone (systemd.service(5)). */
function script(): string {
  const [, text] = /^ExecStartPre=-\/bin\/bash -c '([^']+)'$/m.exec(renderKeepalivedDropIn(HOST, PEERS)) ?? [];
  return text?.replaceAll('$$', '$') ?? '';
}

describe('a host that starts keepalived makes itself known to its peers first', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'kubewright-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** @returns how often each peer was asked for, and how many tenths of a second it waited */
  function run({ known = [FIRST, SECOND], cardAfter = 0 }) {
    const log = join(directory, 'log');
    const fakes = `tenths=0
ip() {
  case "$*" in
    '-o -4 address show to ${HOST.address}') [ "$tenths" -lt ${cardAfter} ] || echo '2: eth0    inet ${HOST.address}/24' ;;
    '-o link show dev eth0') [ "$tenths" -lt ${cardAfter === 0 ? 0 : cardAfter + 5} ] || echo '2: eth0: <BROADCAST,UP,LOWER_UP> mtu 1500' ;;
    'neighbour show to '*) case ' ${known.join(' ')} ' in *" $4 "*) echo 'dev eth0 lladdr 02:00:00:00:00:01 STALE' ;; *) echo 'dev eth0 INCOMPLETE' ;; esac ;;
    *) echo "unknown: $*" >>${log} ;;
  esac
}
sleep() { tenths=$((tenths + 1)); echo wait >>${log}; }
echo() { case "$*" in '') builtin echo "asked $peer" >>${log} ;; *) builtin echo "$@" ;; esac; }
`;
    writeFileSync(log, '');
    // No packet leaves this machine: what would be written to a peer is not.
    const text = script().replaceAll('/dev/udp/$peer/9', '/dev/null');
    const { status } = spawnSync('bash', ['--norc', '-c', `${fakes}${text}`]);
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    return {
      status,
      asked: lines.filter((line) => line !== 'wait'),
      tenths: lines.filter((line) => line === 'wait').length,
    };
  }

  it('waits for nobody where all are there', () => {
    expect(script()).toContain('echo >/dev/udp/$peer/9');
    expect(run({})).toEqual({ status: 0, asked: [`asked ${FIRST}`, `asked ${SECOND}`], tenths: 0 });
  });

  it.each([
    ['the second', FIRST],
    ['the first', SECOND],
  ])('waits three seconds for %s, which has no power, and starts then', (_, known) => {
    expect(run({ known: [known] })).toMatchObject({ status: 0, tenths: 30 });
  });

  it('waits for its card and its address first, as at boot', () => {
    const { asked, tenths } = run({ cardAfter: 40 });
    expect({ asked: asked.length, tenths }).toEqual({ asked: 2, tenths: 45 });
  });

  it('starts without its card after half a minute, for it would fail aloud then', () => {
    expect(run({ cardAfter: 1_000 })).toMatchObject({ status: 0, tenths: 300 });
  });

  it('is not there on the only host', () => {
    expect(renderKeepalivedDropIn(HOST, [])).not.toContain('/dev/udp');
  });
});
