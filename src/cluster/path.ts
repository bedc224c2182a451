/** Where something stands in a document: keys of maps and indices of lists, from the root. */
export type Path = readonly (string | number)[];

/** The value at a path, or undefined. Only own properties count: a key named `constructor` is not one by inheritance. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}
