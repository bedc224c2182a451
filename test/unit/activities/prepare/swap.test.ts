import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { SWAP_UNITS, SWITCH_OFF, swapChanges, swapFacts } from '../../../../src/activities/prepare/swap.js';
import { Facts } from '../../../../src/activities/remote-facts.js';

interface Unit {
  load?: string;
  path?: string;
  state?: string;
  source?: string;
}

/** Bash: a systemctl that knows these units, and notes what is done to them. */
function systemctl(units: Record<string, Unit>, services: string[] = [], refuses = ''): string {
  const show = Object.entries(units).map(
    ([name, { load = 'loaded', path = '', state = '', source = '' }]) =>
      `${name}:LoadState) echo ${load};; ${name}:FragmentPath) echo '${path}';; ${name}:UnitFileState) echo ${state};; ${name}:SourcePath) echo '${source}';;`,
  );
  return `gone=' '
systemctl() {
  case $1 in
    is-enabled) case "$gone" in *" $2 "*) echo disabled; return 1;; esac
      case ' ${services.join(' ')} ' in *" $2 "*) echo enabled;; *) return 1;; esac ;;
    # As the real one: of a type that it has no unit of, it says nothing and fails.
    list-unit-files|list-units) case "$*" in *--type*) return 1 ;; esac
      printf '%s x\\n' ssh.service ${Object.keys(units).join(' ')} ;;
    show) case "$6:$3" in ${show.join(' ')} esac ;;
    disable|mask) [ "$3" != '${refuses}' ] || return 1; echo "$1 $3"; gone="$gone$3 " ;;
  esac
}
swapoff() { :; }
`;
}

function run(script: string): { stdout: string; code: number } {
  try {
    const stdout = execFileSync('bash', ['--norc', '-euo', 'pipefail'], {
      input: script,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    return { stdout, code: 0 };
  } catch (error) {
    const { stdout, status } = error as { stdout: string; status: number };
    return { stdout, code: status };
  }
}

const UNITS: Record<string, Unit> = {
  'owners.swap': { path: '/etc/systemd/system/owners.swap', state: 'enabled' },
  'started-by-hand.swap': { path: '/etc/systemd/system/started-by-hand.swap', state: 'disabled' },
  'dev-sda3.swap': { path: '/run/systemd/generator.late/dev-sda3.swap', state: 'generated' },
  'dev-zram0.swap': { path: '/run/systemd/generator/dev-zram0.swap', state: 'generated' },
  'packaged.swap': { path: '/usr/lib/systemd/system/packaged.swap', state: 'enabled' },
  'in-fstab.swap': { path: '/run/systemd/generator/in-fstab.swap', state: 'generated', source: '/etc/fstab' },
  'masked.swap': { load: 'masked', path: '', state: 'masked' },
  'gone.swap': { load: 'not-found' },
};

describe('swap', () => {
  it('comes back by units of owners, packages and generators, and by services that know no unit', () => {
    const { stdout } = run(
      `${systemctl(UNITS, ['zramswap.service', 'dphys-swapfile.service'])}${SWAP_UNITS}swap_units`,
    );
    expect(stdout.trim().split('\n').sort()).toEqual([
      'dev-sda3.swap mask',
      'dev-zram0.swap mask',
      'dphys-swapfile.service disable',
      'owners.swap disable',
      'packaged.swap mask',
      'zramswap.service disable',
    ]);
  });

  it('is switched off by what fits each: a unit file of the owner cannot be masked', () => {
    const { stdout, code } = run(`${systemctl(UNITS, ['zramswap.service'])}${SWITCH_OFF}`);
    expect(code).toBe(0);
    expect(stdout.trim().split('\n').sort()).toEqual([
      'disable owners.swap',
      'disable zramswap.service',
      'mask dev-sda3.swap',
      'mask dev-zram0.swap',
      'mask packaged.swap',
    ]);
  });

  it('that cannot be switched off is told by what failed', () => {
    const away = run(`${systemctl(UNITS, [], 'packaged.swap')}${SWITCH_OFF}`);
    expect(away).toMatchObject({ code: 1, stdout: expect.stringContaining('kubewright: cannot mask packaged.swap') });
    const full = run(`${systemctl({})}swapoff() { return 255; }\n${SWITCH_OFF}`);
    expect(full).toMatchObject({ code: 1, stdout: expect.stringContaining('all pages back into memory') });
  });

  const said = (facts: Record<string, string>) =>
    swapChanges(
      new Facts(
        Object.entries(facts)
          .map(([name, text]) => `fact ${name} 0 ${Buffer.from(text).toString('base64')}`)
          .join('\n'),
      ),
    );

  it('is a matter of what a boot brings also where none is in use now', () => {
    expect(said({ swaps: '', fstab: '/dev/sda1 / ext4 defaults 0 1', 'swap-units': '' })).toEqual([]);
    expect(said({ swaps: '', fstab: '', 'swap-units': 'zramswap.service disable' })).toEqual([
      'disable zramswap.service, which brings swap back at every boot',
    ]);
    expect(said({ swaps: '/dev/zram0', fstab: '/dev/sda2 none swap sw 0 0', 'swap-units': '' })).toHaveLength(2);
  });

  it('is not taken for gone when systemd does not tell', () => {
    expect(said({ swaps: '', fstab: '' })).toEqual([expect.stringContaining('did not tell')]);
    const { code } = run(`systemctl() { return 1; }\n${SWAP_UNITS}swap_units`);
    expect(code).not.toBe(0);
    expect(swapFacts()).toContain('fact swap-units swap_units');
  });
});
