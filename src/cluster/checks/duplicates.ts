/**
 * Every value that was there before, with the index of its first one. Undefined values (wrong in the file, and reported
 * already) are not compared.
 */
export function duplicates(values: readonly (string | undefined)[]): { index: number; first: number }[] {
  const seen = new Map<string, number>();
  const found: { index: number; first: number }[] = [];
  for (const [index, value] of values.entries()) {
    if (value === undefined) continue;
    const first = seen.get(value);
    if (first === undefined) seen.set(value, index);
    else found.push({ index, first });
  }
  return found;
}
