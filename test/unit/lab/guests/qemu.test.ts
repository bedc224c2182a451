import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { guestCommand } from '../../../../lab/hosts/carriers/guest/command-line.js';
import { whyNoKvm } from '../../../../lab/hosts/carriers/guest/kvm.js';
import { guestSettings } from '../../../../lab/hosts/carriers/guest/launch.js';
import { asset } from '../../../../lab/hosts/machine/assets.js';
import { shellQuote, shellSettings } from '../../../../lab/hosts/machine/shell.js';
import { planHosts } from '../../../../lab/hosts/plan/hosts.js';
import { chooseSubnet } from '../../../../lab/hosts/plan/subnet.js';
import type { GuestSpec, LabRecord } from '../../../../lab/hosts/types.js';
import { machineArchitecture } from '../../../../src/artifacts/recipes.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-test-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const files = { kernel: '/k', disk: '/d.img', console: '/c.log', agent: '/a.sock', port: 'port-0-21', mac: '02:00' };

describe('the command line', () => {
  test('amd64, emulated', () => {
    expect(guestCommand({ ...files, architecture: 'amd64', accelerator: 'tcg' }).join(' ')).toBe(
      'qemu-system-x86_64 -machine q35,sata=off -accel tcg,thread=multi -cpu max -kernel /k ' +
        '-nodefaults -no-user-config -display none -smp 2 -m 3072 ' +
        '-append root=/dev/nvme0n1 rw rootfstype=ext4 console=ttyS0 net.ifnames=0 mitigations=off panic=1 ' +
        '-drive file=/d.img,if=none,id=disk,format=raw,cache=unsafe,discard=unmap ' +
        '-device nvme,drive=disk,serial=kubewright-lab ' +
        '-netdev tap,id=net,ifname=port-0-21,script=no,downscript=no ' +
        '-device virtio-net-pci,netdev=net,mac=02:00,romfile= -device virtio-rng-pci -device virtio-serial-pci ' +
        '-chardev socket,id=agent,path=/a.sock,server=on,wait=off ' +
        '-device virtserialport,chardev=agent,name=org.qemu.guest_agent.0 ' +
        '-chardev file,id=console,path=/c.log,append=on -serial chardev:console',
    );
  });

  test.each([
    ['amd64', 'kvm', '-accel kvm -cpu host', 'console=ttyS0'],
    ['arm64', 'tcg', '-machine virt -accel tcg,thread=multi -cpu max,pauth-impdef=on', 'console=ttyAMA0'],
    ['arm64', 'kvm', '-machine virt,gic-version=host -accel kvm -cpu host', 'console=ttyAMA0'],
  ] as const)('%s by %s', (architecture, accelerator, machine, console) => {
    const line = guestCommand({ ...files, architecture, accelerator }).join(' ');
    expect(line).toContain(machine);
    expect(line).toContain(console);
  });
});

describe('guest.sh', () => {
  test('reads the settings as they were meant', async () => {
    const guest: GuestSpec = { distribution: 'debian-13', architecture: 'amd64' };
    const plan = planHosts(
      { hosts: 2, guests: { 'w-1': guest }, kinds: { 'w-1': ['sudo-password'] } },
      chooseSubnet([]),
    );
    const host = plan.hosts[1];
    if (!host) throw new Error('no host');
    const lab: LabRecord = {
      name: 'x',
      plan,
      guests: { 'debian-13:amd64': { disk: "/cache/it's $HOME", kernel: '/cache/vmlinuz', accelerator: 'tcg' } },
      diskGiB: 20,
      cgroups: { unified: false, directories: ['/c/one', '/c/two'], processes: '/c/two', memory: '/c/one' },
    };
    const file = join(directory, 'settings');
    await writeFile(file, guestSettings({ labDirectory: '/state/lab', lab, host }, guest, 77));
    const printed = `"$IMAGE" "$GIB" "$SWITCH" "$PORT" "$AGENT" "$LOGIN_USER" "$PASSWORD_FILE" "\${CGROUPS[@]}" "\${QEMU[12]}"`;
    const { stdout } = await execa('bash', ['--norc', '-c', `. ${shellQuote(file)}; printf '%s\\n' ${printed}`]);
    expect(stdout.split('\n')).toEqual([
      "/cache/it's $HOME",
      '20',
      '/proc/77/ns/net',
      'port-0-21',
      '/run/kubewright-lab/x/port-0-21.agent',
      'ops',
      '/state/lab/hosts/w-1/sudo-password',
      '/c/two/w-1',
      '/c/one/w-1',
      'none',
    ]);
  });

  test('starts another QEMU when the guest asks for a reboot, and ends when it is switched off', async () => {
    // QEMU's last event says which it was; the third boot ends with a power-off.
    const qemu = `#!/bin/bash
      echo "$@" >> ${directory}/calls
      cat > ${directory}/asked
      [ "$(wc -l < ${directory}/calls)" -lt 3 ] && reason=guest-reset || reason=guest-shutdown
      echo '{"event": "SHUTDOWN", "data": {"guest": true, "reason": "'$reason'"}}'`;
    await program('qemu', qemu);
    await program('ip', `#!/bin/bash\necho "$@" >> ${directory}/ip-calls`);
    const settings = { DIRECTORY: directory, AGENT: join(directory, 'agent'), PORT: 'port-0-21', QEMU: ['qemu', '-x'] };
    await writeFile(join(directory, 'settings'), shellSettings(settings));
    const script = asset('hosts/carriers/guest/guest.sh');
    await execa('bash', [script, join(directory, 'settings'), 'start'], {
      env: { PATH: `${directory}:${process.env.PATH}` },
    });
    const call = '-x -action reboot=shutdown -qmp stdio\n';
    expect(await readFile(join(directory, 'calls'), 'utf8')).toBe(call.repeat(3));
    // Without it QEMU tells no events.
    expect(await readFile(join(directory, 'asked'), 'utf8')).toBe('{"execute": "qmp_capabilities"}\n');
    expect(await readFile(join(directory, 'ip-calls'), 'utf8')).toBe(
      'link delete port-0-21\ntuntap add port-0-21 mode tap\nlink set port-0-21 master bridge up\n',
    );
  });

  async function program(name: string, text: string): Promise<void> {
    await writeFile(join(directory, name), text);
    await chmod(join(directory, name), 0o755);
  }
});

describe('KVM', () => {
  const own = machineArchitecture() ?? 'amd64';
  const other = own === 'amd64' ? 'arm64' : 'amd64';
  const device = '/dev/null';
  const ask = (output: string, timedOut = false) => whyNoKvm(own, '/k', async () => ({ output, timedOut }), device);

  test('is used where the guests’ kernel comes up by it', async () => {
    const output = '[    0.5] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\r\n';
    expect(await ask(output)).toBeUndefined();
  });

  test('is not used on the word of its device, and the reason is told', async () => {
    const output =
      'qemu-system-x86_64: error: failed to set MSR 0x10a to 0x69\nqemu-system-x86_64: x.c:3183: Assertion';
    expect(await ask(output)).toBe('/dev/null is there, and no guest boots by it (failed to set MSR 0x10a to 0x69)');
    expect(await ask('')).toBe('/dev/null is there, and no guest boots by it (QEMU ended without a word)');
    expect(await ask('', true)).toBe('/dev/null is there, and a guest does not boot by it within 20 s');
  });

  test('is not asked for another architecture, or without its device', async () => {
    const never = () => Promise.reject(new Error('asked'));
    expect(await whyNoKvm(other, '/k', never, device)).toBe(`the machine's processor is no ${other}`);
    expect(await whyNoKvm(own, '/k', never, '/nonexistent')).toBe('there is no /nonexistent');
  });
});
