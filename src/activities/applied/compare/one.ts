import { type Found, shown } from '../difference.js';
import { isSame } from '../values.js';

/** A key in which the cluster and the file differ; nothing where they mean the same. */
export function one(key: string, applied: unknown, wanted: unknown): Found[] {
  return isSame(applied, wanted) ? [] : [{ key, applied: shown(applied), wanted: shown(wanted) }];
}
