/**
 * Compares dotted version numbers such as `22.04`, `1.6.20` or `2.1.0-rc.1` by their numbers alone: negative when `a` is
 * older than `b`, 0 when they are the same. What is no number counts as 0.
 */
export function compareVersions(a: string, b: string): number {
  const left = numbersOf(a);
  const right = numbersOf(b);
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbersOf(version: string): number[] {
  return version.split('.').map((part) => Number.parseInt(part, 10) || 0);
}
