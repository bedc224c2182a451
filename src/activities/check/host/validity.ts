import { X509Certificate } from 'node:crypto';

/** As the preflight has it: enough for a renewal in working hours. */
const WARN_DAYS = 30;
/** Share of its lifetime below which a certificate that a program renews by itself should be gone: kubelets do so at 70 to 90 %. */
const OWN_SHARE = 0.1;
const DAY_MS = 86_400_000;

/** From when to when a certificate is valid; milliseconds since the epoch. */
export interface Validity {
  from: number;
  to: number;
}

/** @param der a certificate in base64 @returns undefined for what is none */
export function validity(der: string): Validity | undefined {
  try {
    const { validFrom, validTo } = new X509Certificate(Buffer.from(der, 'base64'));
    const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
    return Number.isNaN(from) || Number.isNaN(to) ? undefined : { from, to };
  } catch {
    // Cut short while it was written, or no certificate at all.
    return undefined;
  }
}

/** From when on its end is near. One that lives short and is renewed by itself has few days left for most of its life, which is fine. */
export function warnFrom({ from, to }: Validity, { renewsItself }: { renewsItself: boolean }): number {
  return to - Math.min(WARN_DAYS * DAY_MS, renewsItself ? OWN_SHARE * (to - from) : Number.POSITIVE_INFINITY);
}

/** `in 3 days (2026-01-31)`, `1 day ago (…)`. */
export function when(end: number, now: number): string {
  const days = Math.trunc(Math.abs(end - now) / DAY_MS);
  const span = `${days} ${days === 1 ? 'day' : 'days'}`;
  return `${end > now ? `in ${span}` : `${span} ago`} (${new Date(end).toISOString().slice(0, 10)})`;
}
