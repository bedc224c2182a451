import { FSTAB_PATH, withoutSwap } from '../../render/fstab.js';
import type { Facts } from '../remote-facts.js';
import type { StepContext } from '../types.js';

/** Services that call swapon themselves, so that no `.swap` unit tells of them (Debian, Ubuntu, Raspberry Pi OS, Armbian). */
export const SWAP_SERVICES = [
  'zramswap.service',
  'zram-config.service',
  'dphys-swapfile.service',
  'swapspace.service',
  'armbian-zram-config.service',
];

/**
 * Bash: `swap_units` prints what would bring swap back at a boot, as lines of a unit and what ends that: `disable` for
 * services and for unit files of the host's owner, which cannot be masked (their file stands where the mask would), `mask`
 * for what packages and generators make (GPT partitions, zram-generator). Units made from /etc/fstab are not among them.
 */
export const SWAP_UNITS = `swap_units() {
  local unit load path state source listed
  for unit in ${SWAP_SERVICES.join(' ')}; do
    case $(systemctl is-enabled "$unit" 2>/dev/null) in enabled*) echo "$unit disable" ;; esac
  done
  # Asked for all, systemd reads every unit that there is, for a third of a second; where no name fits, systemctl fails.
  listed=$(systemctl list-unit-files --no-legend --plain swap.target '*.swap' && systemctl list-units --all --no-legend --plain) || return 1
  while read -r unit; do
    [ -n "$unit" ] || continue
    load=$(systemctl show --property LoadState --value -- "$unit") || return 1
    path=$(systemctl show --property FragmentPath --value -- "$unit")
    state=$(systemctl show --property UnitFileState --value -- "$unit")
    source=$(systemctl show --property SourcePath --value -- "$unit")
    [ "$load" = loaded ] && [ "$source" != ${FSTAB_PATH} ] || continue
    case $path:$state in
      /etc/systemd/system/*:enabled*) echo "$unit disable" ;;
      /run/systemd/generator*|*:enabled*) echo "$unit mask" ;;
    esac
  done < <(printf '%s\\n' "$listed" | awk '$1 ~ /\\.swap$/ {print $1}' | sort -u)
}
`;

/** Facts that `swapChanges` reads; `fact` is that of remote-facts. */
export function swapFacts(): string {
  return `${SWAP_UNITS}fact fstab cat ${FSTAB_PATH}
fact swaps awk 'NR > 1 {print $1}' /proc/swaps
fact swap-units swap_units
`;
}

/** What is to be done so that the host uses no swap, now and after a boot; empty when nothing is. */
export function swapChanges(facts: Facts): string[] {
  const changes: string[] = [];
  const lines = (name: string) => facts.text(name).split('\n').filter(Boolean);
  const swaps = lines('swaps');
  if (swaps.length > 0) changes.push(`switch swap off (${swaps.join(', ')})`);
  const fstab = facts.text('fstab');
  if (withoutSwap(fstab) !== fstab) changes.push(`comment the swap entries of ${FSTAB_PATH} out`);
  for (const line of lines('swap-units')) {
    const [unit, act] = line.split(' ');
    changes.push(`${act} ${unit}, which brings swap back at every boot`);
  }
  if (!facts.holds('swap-units')) changes.push('ask systemd for its swap units, which it did not tell');
  return changes;
}

/** Taking pages back into memory may take minutes, so it is a durable command. */
export async function switchSwapOff(context: StepContext): Promise<void> {
  const fstab = await context.host.readFile(FSTAB_PATH);
  if (fstab !== undefined) await context.host.writeFile(FSTAB_PATH, withoutSwap(fstab.toString('utf8')));
  await context.durable('swap', SWITCH_OFF, {
    timeoutSeconds: 1_800,
    hint: 'The last line says what failed. For swapoff see what uses so much memory (`free`, `top`); a unit is switched off by `systemctl disable --now UNIT`. Then retry the step.',
  });
}

/** Units last: some of them switch their swap off themselves, and find it done. */
export const SWITCH_OFF = `${SWAP_UNITS}systemctl daemon-reload
swapoff --all || { echo 'kubewright: swapoff could not take all pages back into memory'; exit 1; }
units=$(swap_units) || { echo 'kubewright: systemd does not tell its swap units'; exit 1; }
while read -r unit act; do
  [ -n "$unit" ] || continue
  systemctl "$act" --now "$unit" || { echo "kubewright: cannot $act $unit"; exit 1; }
done <<<"$units"
systemctl daemon-reload
swapoff --all
`;
