import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { strikeScript, UNDO_SCRIPT } from '../../../../src/activities/drill/dead-man.js';
import { networkBlow } from '../../../../src/activities/drill/network-blow.js';
import { type ProgramBlow, programBlow } from '../../../../src/activities/drill/program-blow.js';
import { gatherFacts } from '../../../../src/activities/remote-facts.js';
import { clusterOf } from '../../cluster-fixture.js';
import { BashHosts } from '../bash-hosts.js';

const HOST = 'cp-1';
const UNDO = '/run/kubewright/drill-undo';

let hosts: BashHosts;
beforeEach(() => {
  hosts = new BashHosts(clusterOf({ controlPlanes: 1, workers: 0 }));
  // A unit is active while there is no file of its name; what was done to it, and to the timer, is written down.
  hosts.program(
    'systemctl',
    `case "$1" in
  is-active) unit=\${*: -1}; if [ -e "$SHARED/stopped-$unit" ]; then echo inactive; exit 3; else echo active; fi ;;
  stop) echo "stop $2" >>$SHARED/log; touch "$SHARED/stopped-$2" ;;
  start) echo "start $2" >>$SHARED/log; rm -f "$SHARED/stopped-$2" ;;
esac`,
  );
  hosts.program(
    'systemd-run',
    `[ ! -e $SHARED/no-timers ] || { echo 'no timers here' >&2; exit 1; }
echo "arm $*" >>$SHARED/log`,
  );
  hosts.program(
    'crictl',
    `echo "crictl $*" >>$SHARED/log
case "$1" in ps) cat $SHARED/containers 2>/dev/null || true ;; esac`,
  );
  // Rules by name, as iptables -S tells them.
  hosts.program(
    'iptables',
    `[ "$1" = -w ] && shift 2
rules=$SHARED/iptables
touch $rules
case "$1" in
  -S) cat $rules ;;
  -N) ! grep -q "^-N $2$" $rules || exit 1; echo "-N $2" >>$rules ;;
  -F) sed -i "/^-A $2 /d" $rules ;;
  -X) sed -i "/^-N $2$/d" $rules ;;
  -A) echo "$*" >>$rules ;;
  -C) grep -qx -e "-A $2 $3 $4" $rules ;;
  -I) sed -i "1i -A $2 $4 $5" $rules ;;
  -D) grep -qx -e "-A $2 $3 $4" $rules || exit 1; sed -i "0,/^-A $2 $3 $4$/{/^-A $2 $3 $4$/d}" $rules ;;
esac`,
  );
});
afterEach(() => hosts.remove());

const remote = () => hosts.pool().get(HOST);
/** A file that the fake programs look into. */
const share = (name: string, content: string) => writeFileSync(join(hosts.root, name), content);
const log = () => hosts.shared('log').split('\n').filter(Boolean);
const { signal } = new AbortController();

async function isWhole({ isWhole: question }: ProgramBlow): Promise<string> {
  const facts = await gatherFacts(remote(), `${question}ask whole is_whole`, signal);
  return facts.answer('whole', 'it says no').is;
}

describe('a unit', () => {
  const blow = programBlow({ unit: 'haproxy' });

  it('is stopped once what starts it again lies on the host and is armed', async () => {
    expect(await isWhole(blow)).toBe('yes');
    await remote().run(strikeScript(blow, 480));
    const [disarm, arm, stop] = log();
    expect(disarm).toBe('stop kubewright-drill-undo.timer');
    expect(arm).toMatch(/^arm .*--on-active=480 .*\/run\/kubewright\/drill-undo$/);
    expect(stop).toBe('stop haproxy.service');
    expect(await isWhole(blow)).toBe('no');
    expect(hosts.read(HOST, UNDO)).toContain('systemctl start haproxy.service');
  });

  it('is not stopped where the switch cannot be armed', async () => {
    share('no-timers', '');
    await expect(remote().run(strikeScript(blow, 480))).rejects.toMatchObject({ code: 'KW410' });
    expect(log()).not.toContain('stop haproxy.service');
    expect(await isWhole(blow)).toBe('yes');
  });

  it('is started by the switch, whoever has died; and nothing is left to be undone', async () => {
    await remote().run(strikeScript(blow, 480));
    await remote().run(`/bin/bash ${UNDO}`);
    expect(await isWhole(blow)).toBe('yes');
    expect(hosts.read(HOST, UNDO)).toBeUndefined();
  });

  it('is started by the restore step, before the switch, behind it, and as often as that is asked', async () => {
    await remote().run(strikeScript(blow, 480));
    await remote().run(UNDO_SCRIPT);
    await remote().run(UNDO_SCRIPT);
    expect(await isWhole(blow)).toBe('yes');
    expect(log().filter((line) => line === 'start haproxy.service')).toHaveLength(1);
    expect(log().at(-1)).toBe('stop kubewright-drill-undo.timer');
  });
});

describe("a static pod's container", () => {
  const blow = programBlow({ container: 'etcd' });

  it("is killed, the kubelet's own and no other of that name; its kubelet needs no switch", async () => {
    share('containers', 'abc123\n');
    await remote().run(strikeScript(blow, 480));
    expect(log()).toEqual([
      'crictl ps -q --state Running --name ^etcd$ --label io.kubernetes.pod.namespace=kube-system',
      'crictl stop --timeout 0 abc123',
    ]);
    expect(hosts.read(HOST, UNDO)).toBeUndefined();
  });

  it('that does not run is no success', async () => {
    await expect(remote().run(strikeScript(blow, 480))).rejects.toMatchObject({ code: 'KW410' });
    expect(log().some((line) => line.startsWith('crictl stop'))).toBe(false);
    expect(await isWhole(blow)).toBe('no');
  });
});

describe('a network', () => {
  /** As sudo leaves it: the variable is in a process above. */
  const session = `mkdir -p /proc/$$ /proc/4242
printf 'Name:\\tbash\\nPPid:\\t4242\\n' >/proc/$$/status
printf 'HOME=/root\\0' >/proc/$$/environ
printf 'SSH_CONNECTION=10.88.0.1 50000 10.88.0.11 2222\\0' >/proc/4242/environ
`;
  /** A host without nft has one that is not there; the test's machine may have it. */
  const without = 'command() { [ "$2" != nft ] && builtin command "$@"; }\n';

  it('is cut but for SSH from the address of this very session, by a chain of our own, and mended again', async () => {
    share('iptables', '-A INPUT -j KUBE-FIREWALL\n');
    await remote().run(`${without}${session}${strikeScript(networkBlow, 480)}`);
    const rules = hosts.shared('iptables').split('\n');
    expect(rules).toContain('-A KUBEWRIGHT-DRILL -s 10.88.0.1 -p tcp --dport 2222 -j RETURN');
    expect(rules).toContain('-A KUBEWRIGHT-DRILL -d 10.88.0.1 -p tcp --sport 2222 -j RETURN');
    expect(rules.filter((rule) => rule.startsWith('-A KUBEWRIGHT-DRILL')).at(-1)).toBe('-A KUBEWRIGHT-DRILL -j DROP');
    for (const hook of ['INPUT', 'OUTPUT', 'FORWARD']) expect(rules).toContain(`-A ${hook} -j KUBEWRIGHT-DRILL`);
    const undo = `${without}${hosts.read(HOST, UNDO)?.replaceAll(`${hosts.root}/${HOST}`, '')}`;
    await remote().run(undo);
    await remote().run(undo);
    expect(hosts.shared('iptables').trim()).toBe('-A INPUT -j KUBE-FIREWALL');
  });

  it('is cut by a table of our own where the host has nft, which takes it as a whole', async () => {
    hosts.program(
      'nft',
      `echo "nft $*" >>$SHARED/log
case "$1" in -f) cat >$SHARED/table ;; list) cat $SHARED/tables 2>/dev/null || true ;; esac`,
    );
    await remote().run(`${session}${strikeScript(networkBlow, 480)}`);
    const table = hosts.shared('table');
    expect(table).toMatch(/table inet kubewright_drill \{/);
    expect(table).toContain('policy drop; iif "lo" accept; ip saddr 10.88.0.1 tcp dport 2222 accept;');
    expect(table).toContain('hook forward priority -310; policy drop; }');
    share('tables', 'table inet kubewright_drill\n');
    expect(await isWhole(networkBlow)).toBe('no');
    await remote().run(UNDO_SCRIPT);
    expect(log()).toContain('nft delete table inet kubewright_drill');
  });

  it('is not cut where the host does not tell from where this session comes: nobody could come back', async () => {
    const alone = `mkdir -p /proc/$$\nprintf 'PPid:\\t1\\n' >/proc/$$/status\nprintf 'A=b\\0' >/proc/$$/environ\n`;
    await expect(remote().run(`${without}${alone}${strikeScript(networkBlow, 480)}`)).rejects.toMatchObject({
      code: 'KW410',
    });
    expect(hosts.shared('iptables')).not.toContain('KUBEWRIGHT-DRILL');
  });
});
