export const FSTAB_PATH = '/etc/fstab';

/** Stands in front of an entry that was switched off. */
export const SWITCHED_OFF = '# switched off by Kubewright: ';

/** `/etc/fstab` with its swap entries commented out; everything else stays as it is, byte by byte. */
export function withoutSwap(fstab: string): string {
  return fstab
    .split('\n')
    .map((line) => (isSwap(line) ? `${SWITCHED_OFF}${line}` : line))
    .join('\n');
}

/** Third field of an entry: the file system's type (fstab(5)). */
function isSwap(line: string): boolean {
  const [device = '#', , type] = line.trim().split(/\s+/);
  return !device.startsWith('#') && type === 'swap';
}
