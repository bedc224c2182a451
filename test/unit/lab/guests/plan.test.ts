import { describe, expect, test } from 'vitest';
import { parseGuests } from '../../../../lab/commands/up.js';
import { QEMU } from '../../../../lab/hosts/carriers/guest/command-line.js';
import { checkMemory } from '../../../../lab/hosts/carriers/guest/prepare.js';
import { carriersOf } from '../../../../lab/hosts/carriers/index.js';
import { planFromCluster } from '../../../../lab/hosts/plan/from-cluster.js';
import { planHosts } from '../../../../lab/hosts/plan/hosts.js';
import { planLab } from '../../../../lab/hosts/plan/lab.js';
import { labSettings } from '../../../../lab/hosts/plan/lab-settings.js';
import { chooseSubnet } from '../../../../lab/hosts/plan/subnet.js';
import { sourcesList } from '../../../../lab/hosts/seed/apt.js';
import { guestNetwork } from '../../../../lab/hosts/seed/seed.js';
import type { GuestSpec, LabRecord } from '../../../../lab/hosts/types.js';
import { parseCluster } from '../../../../src/cluster/load.js';

const subnet = chooseSubnet([]);
const guest: GuestSpec = { distribution: 'debian-13', architecture: 'amd64' };

describe('--guest', () => {
  test('names a host, a distribution and an architecture, by default the machine’s', () => {
    expect(parseGuests(['w-1=debian-13', 'w-2=debian-12:arm64'], 'amd64')).toEqual({
      'w-1': guest,
      'w-2': { distribution: 'debian-12', architecture: 'arm64' },
    });
  });

  test('what is wrong is said all at once', () => {
    const words = ['w-1', 'w-2=debian-9', 'cp-1=debian-13:mips', '=debian-13', 'cp-2=debian-13', 'cp-2=debian-12'];
    expect(() => parseGuests(words, 'amd64')).toThrow(
      expect.objectContaining({
        code: 'KW603',
        message:
          'Guests: w-1 is not HOST=DISTRIBUTION:ARCHITECTURE; w-2: there is no distribution "debian-9"; ' +
          'cp-1: there is no architecture "mips"; =debian-13 is not HOST=DISTRIBUTION:ARCHITECTURE; cp-2 is named twice.',
      }),
    );
  });

  test('a host that the lab does not have is refused before anything is made', async () => {
    const refused = { code: 'KW603', message: 'Guests: there is no host w-7.' };
    await expect(planLab({ hosts: 2, guests: { 'w-7': guest } })).rejects.toMatchObject(refused);
    const text = `apiVersion: kubewright.dev/v1alpha1
kind: Cluster
metadata: { name: prod }
spec:
  endpoint: { vip: 10.1.2.9 }
  hosts: [{ name: one, address: 10.1.2.1, role: control-plane }]`;
    const { cluster } = parseCluster(text, { path: 'cluster.yaml', directory: '/' });
    expect(() => planFromCluster(cluster, { guests: { 'w-7': guest } }, [])).toThrow(expect.objectContaining(refused));
    expect(planFromCluster(cluster, { guests: { one: guest } }, []).hosts[0]?.guest).toEqual(guest);
  });
});

describe('a lab with guests', () => {
  const { hosts } = planHosts({ hosts: 4, guests: { 'w-1': guest }, kinds: { 'w-1': ['sudo'] } }, subnet);

  test('has them beside hosts in namespaces, at the same addresses, with the same kinds', () => {
    expect(hosts.map(({ name, address, guest: own, user }) => [name, address, own, user])).toEqual([
      ['cp-1', '10.88.0.11', null, 'root'],
      ['cp-2', '10.88.0.12', null, 'root'],
      ['cp-3', '10.88.0.13', null, 'root'],
      ['w-1', '10.88.0.21', guest, 'ops'],
    ]);
  });

  test('needs QEMU of their architecture, and no lab without guests does', () => {
    const programs = (all: typeof hosts) =>
      Object.assign({}, ...carriersOf(all).map(({ carrier, carried }) => carrier.programs(carried)));
    expect(programs(hosts)).toMatchObject({
      'qemu-system-x86_64': 'qemu-system-x86',
      'systemd-nspawn': 'systemd-container',
    });
    expect(programs(hosts)).not.toHaveProperty(QEMU.arm64.program);
    expect(programs(hosts.filter(({ guest: own }) => !own))).toEqual({ 'systemd-nspawn': 'systemd-container' });
  });

  test('changes cluster.yaml only for hosts that share the machine’s kernel', async () => {
    const lab = (names: string[]): LabRecord => ({
      name: 'x',
      plan: planHosts({ hosts: 2, guests: Object.fromEntries(names.map((name) => [name, guest])) }, subnet),
      diskGiB: 20,
      cgroups: { unified: false, directories: [], processes: '', memory: '' },
    });
    expect(await labSettings(lab(['cp-1', 'w-1']))).toEqual([]);
    expect(await labSettings(lab(['w-1']))).not.toEqual([]);
  });

  test('is refused where their memory is not there', async () => {
    await expect(checkMemory(2, 7 * 1024)).resolves.toBeUndefined();
    await expect(checkMemory(2, 7 * 1024 - 1)).rejects.toMatchObject({
      code: 'KW618',
      message: '2 guests need 7168 MiB of memory; this machine has 7167 MiB to give.',
    });
  });
});

test('a guest’s files: its card by its address, the packages of its own release', () => {
  const [host] = planHosts({ hosts: 1 }, subnet).hosts;
  if (!host) throw new Error('no host');
  expect(guestNetwork(host, subnet)).toBe(
    '[Match]\nMACAddress=02:6b:0a:58:00:0b\n\n[Network]\nAddress=10.88.0.11/24\nGateway=10.88.0.1\nIPv6AcceptRA=no\n',
  );
  expect(sourcesList({ mirror: 'http://m/debian', security: 'http://s/sec' }, 'trixie')).toBe(
    'deb http://m/debian trixie main\ndeb http://m/debian trixie-updates main\ndeb http://s/sec trixie-security main\n',
  );
});
