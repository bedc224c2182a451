const UNITS = { h: 3_600_000, m: 60_000, s: 1_000 } as const;

/** Durations as people and other tools write them: `90s`, `45m`, `1h30m`. */
export const DURATION = /^(?=\d)(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,7})s)?$/;

/** @returns milliseconds; undefined when the text is no duration */
export function millisecondsIn(text: string): number | undefined {
  const parts = DURATION.exec(text);
  if (parts === null) return undefined;
  const [hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map((part) => Number(part ?? 0));
  return hours * UNITS.h + minutes * UNITS.m + seconds * UNITS.s;
}
