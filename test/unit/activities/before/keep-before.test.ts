import { describe, expect, it } from 'vitest';
import { keepScript } from '../../../../src/activities/before/keepBefore.js';
import { FSTAB_PATH } from '../../../../src/render/fstab.js';
import { MODULES_PATH } from '../../../../src/render/modules.js';
import { OWNER_PATH } from '../../../../src/render/owner.js';
import { SYSCTL_PATH } from '../../../../src/render/sysctl.js';
import { clusterOf } from '../../cluster-fixture.js';
import { exists, lay, modeOf, output, program, read, useOneHost } from '../check/host/one-host.js';

const CLUSTER = clusterOf({ controlPlanes: 1, workers: 1 });
const BEFORE = '/var/lib/kubewright/before';

useOneHost();

/** Runs the script on the test's host; programs that it asks say what little there is. */
function keep(): Promise<string> {
  program(
    'systemctl',
    'case $1 in list-unit-files) echo "haproxy.service disabled" ;; list-units) echo "sshd.service" ;; esac',
  );
  program('dpkg-query', "printf 'package tar installed\\npackage nano not-installed\\n'");
  program('apt-mark', 'echo tar');
  program('ip', 'echo "2: eth0    inet 10.88.0.11/24 brd 10.88.0.255 scope global eth0"');
  program('nft', 'echo "table ip mine {"; echo "chain INPUT {"; echo "}"; echo "}"');
  program('iptables-save', "printf '*filter\\n:DOCKER - [0:0]\\nCOMMIT\\n'");
  program('iptables-legacy-save', 'exit 1');
  lay('/proc/sys/net/ipv4/ip_forward', '0\n');
  lay('/proc/modules', 'nf_tables 1 0 - Live 0x0\n');
  lay('/proc/swaps', 'Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n');
  lay(
    '/proc/self/mountinfo',
    '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n23 22 0:5 / /data rw - nfs4 nas:/x rw\n',
  );
  lay('/etc/passwd', 'root:x:0:0::/root:/bin/sh\n');
  lay('/etc/group', 'root:x:0:\n');
  lay(FSTAB_PATH, '//nas/x /data cifs username=u,password=geheim 0 0\n');
  return output(keepScript(CLUSTER, { role: 'control-plane' }), (text) =>
    text.replaceAll(/(?<![\w.}])\/(usr|opt|sys)\//g, '/var/machine-$1/'),
  );
}

describe('what a host was before the first change', () => {
  it('is written down as sorted lines, and what stands where the steps write is kept', async () => {
    lay('/etc/haproxy/haproxy.cfg', 'of a person\n');
    lay('/var/machine-sys/class/net/eth0/address', '');
    expect((await keep()).trim()).toBe('taken');
    const lines = read(`${BEFORE}/state`).split('\n').filter(Boolean);
    expect(lines).toEqual([...lines].sort());
    expect(lines).toEqual(
      expect.arrayContaining([
        'sysctl\tnet.ipv4.ip_forward\t0',
        'swap\t/dev/sda2\t',
        'module\tnf_tables\t',
        'package\ttar\tinstalled',
        'hold\ttar\t',
        'unit\thaproxy.service\tdisabled',
        'active\tsshd.service\t',
        'user\troot\t',
        'link\teth0\t',
        'address\teth0\t10.88.0.11/24',
        'chain\tDOCKER\t',
        'chain\tINPUT\t',
        'table\tip/mine\t',
        'mount\t/data\tnfs4',
      ]),
    );
    expect(lines.some((line) => line.startsWith('package\tnano'))).toBe(false);
    expect(read(`${BEFORE}/state`)).toContain('/etc/haproxy/haproxy.cfg\t644 ');
  });

  it('copies the originals, and tells no line of /etc/fstab, where a password may stand', async () => {
    lay('/etc/haproxy/haproxy.cfg', 'of a person\n');
    await keep();
    expect(findCopy('/etc/haproxy/haproxy.cfg')).toBe('of a person\n');
    expect(findCopy(FSTAB_PATH)).toContain('geheim');
    expect(read(`${BEFORE}/state`)).not.toContain('geheim');
    expect(modeOf(BEFORE)).toBe('700');
    expect(modeOf(`${BEFORE}/state`)).toBe('600');
  });

  it('is never written over', async () => {
    await keep();
    const first = read(`${BEFORE}/state`);
    lay('/etc/haproxy/haproxy.cfg', 'ours\n');
    expect((await keep()).trim()).toBe('kept');
    expect(read(`${BEFORE}/state`)).toBe(first);
  });

  it.each([OWNER_PATH, MODULES_PATH, SYSCTL_PATH])('is not made up for a host that has %s already', async (path) => {
    lay(path, 'x');
    expect((await keep()).trim()).toBe('late');
    expect(exists(BEFORE)).toBe(false);
  });

  it('leaves what a killed attempt began aside', async () => {
    lay(`${BEFORE}.new.abcdef/state`, 'half');
    await keep();
    expect(exists(`${BEFORE}.new.abcdef`)).toBe(false);
    expect(read(`${BEFORE}/state`)).not.toBe('half');
  });
});

/** Copies lie below the directory by their whole path, of which the test's own is a part. */
function findCopy(path: string): string {
  return read(`${BEFORE}/files`, path);
}
