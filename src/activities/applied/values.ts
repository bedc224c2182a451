import { isMap } from './parse.js';
import type { Settings } from './types.js';

/** A setting in which two sides differ. */
export interface SettingDifference {
  /** Keys from the root of the settings. */
  path: string[];
  applied: unknown;
  wanted: unknown;
}

/**
 * What of `wanted` is not so in `applied`. Only what is wanted counts: kubeadm writes its own defaults beside it. Values
 * that mean the same are the same, however Kubernetes writes them down: `60s` and `1m0s`, `1024Mi` and `1Gi`.
 */
export function unmet(applied: unknown, wanted: Settings, path: string[] = []): SettingDifference[] {
  return Object.entries(wanted).flatMap(([key, value]) => {
    const there = isMap(applied) ? applied[key] : undefined;
    const below = [...path, key];
    // A key of which nothing is left is one that Kubernetes does not write down.
    if (isMap(value) && Object.keys(value).length > 0) return unmet(there, value, below);
    return isSame(there, value) ? [] : [{ path: below, applied: there, wanted: value }];
  });
}

/**
 * What was wanted when the cluster was begun, is not any more, and still holds. Lists and single values that merely changed
 * are for `unmet` to tell.
 */
export function takenOut(
  begun: Settings,
  wanted: Settings,
  applied: unknown,
  path: string[] = [],
): SettingDifference[] {
  return Object.entries(begun).flatMap(([key, value]) => {
    const there = isMap(applied) ? applied[key] : undefined;
    const below = [...path, key];
    const now = wanted[key];
    if (isMap(value) && (isMap(now) || now === undefined)) return takenOut(value, isMap(now) ? now : {}, there, below);
    // Even where the value is the default as well: that it is, only Kubernetes knows.
    if (now !== undefined || there === undefined || !isSame(there, value)) return [];
    return [{ path: below, applied: there, wanted: undefined }];
  });
}

/** Whether two settings mean the same. What is empty means the same as what is not there. */
export function isSame(a: unknown, b: unknown): boolean {
  if (isMap(a) && isMap(b)) {
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => isSame(a[key], b[key]));
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  }
  if (a === b || (isEmpty(a) && isEmpty(b))) return true;
  return sameAmount(a, b, durationOf) || sameAmount(a, b, quantityOf);
}

function isEmpty(value: unknown): boolean {
  if (isMap(value)) return Object.values(value).every(isEmpty);
  if (Array.isArray(value)) return value.length === 0;
  return value === undefined || value === null || value === '' || value === false || value === 0 || value === '0s';
}

function sameAmount(a: unknown, b: unknown, read: (text: string) => number | undefined): boolean {
  const [one, other] = [a, b].map((value) =>
    typeof value === 'string' || typeof value === 'number' ? read(String(value)) : undefined,
  );
  return one !== undefined && one === other;
}

const SECONDS: Record<string, number> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/** Go's time.Duration, such as `1m30s`, in thousandths of a millisecond; undefined for other texts. */
function durationOf(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  return Math.round(parts.reduce((sum, [, count, unit]) => sum + Number(count) * (SECONDS[unit ?? ''] ?? 0), 0) * 1e6);
}

const FACTORS: Record<string, number> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** Kubernetes' resource.Quantity, such as `1.5Gi`; undefined for other texts. */
function quantityOf(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * (FACTORS[unit] ?? Number.NaN);
}
