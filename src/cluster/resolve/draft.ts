import type { ClusterFile } from '../schema/file.js';

/** Stands in a draft where the file holds something that its schema refuses. */
export const INVALID: unique symbol = Symbol('invalid');
export type Invalid = typeof INVALID;

/**
 * What is left of a file when everything that the schema refuses is marked: the cross-checks run on it all the same, so
 * that a user sees every problem at once. "Wrong" and "not written" are different things: only the latter has a default.
 */
export type Draft<T> = T extends readonly (infer U)[]
  ? Draft<U>[] | Invalid
  : T extends object
    ? { [K in keyof T]?: Draft<T[K]> } | Invalid
    : T | Invalid;

export type ClusterDraft = Draft<ClusterFile>;

/**
 * A resolved value in which every leaf may be missing that was wrong in the file. Sections are always there, and lists keep
 * their length.
 */
export type Sketch<T> = T extends readonly (infer U)[]
  ? Sketch<U>[]
  : T extends object
    ? { [K in keyof T]: T[K] extends object ? Sketch<T[K]> : Sketch<T[K]> | undefined }
    : T;

/**
 * One key of a map: what is written; the fallback when nothing is; undefined when what is written, or the map itself, is
 * wrong.
 */
export function pick<S extends object, K extends keyof S, F>(
  map: S | Invalid | null | undefined,
  key: K,
  fallback: F,
): Exclude<S[K], Invalid | undefined> | F | undefined {
  if (map === INVALID) return undefined;
  const written = map?.[key];
  if (written === INVALID) return undefined;
  return written === undefined ? fallback : (written as Exclude<S[K], Invalid | undefined>);
}

/** A map below a map; wrong when its parent is, null when it is not there. */
export function inner<S extends object, K extends keyof S>(
  map: S | Invalid | null | undefined,
  key: K,
): Exclude<S[K], undefined> | Invalid | null {
  if (map === INVALID) return INVALID;
  return (map?.[key] ?? null) as Exclude<S[K], undefined> | null;
}

/** A map without the entries that were wrong. */
export function recordOf(map: unknown): Record<string, unknown> {
  return isMap(map) ? Object.fromEntries(Object.entries(map).filter(([, value]) => isValid(value))) : {};
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isValid<T>(value: T): value is Exclude<T, Invalid> {
  return value !== INVALID;
}
