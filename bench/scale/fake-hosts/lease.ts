import { type Said, said } from './api.js';
import type { FakeHost } from './host.js';
import { assignmentsOf } from './shell-words.js';

/** Which run holds a fake host, as its lease says (src/activities/lease). Times are seconds since 1970. */
export interface FakeLease {
  state: 'held' | 'released';
  holder: string;
  run: string;
  temporal: string;
  by: string;
  since: number;
  until: number;
}

const seconds = (): number => Math.floor(Date.now() / 1_000);

/** Lines of `lease_show`; none where no run has held the host. */
export function leaseLines({ lease }: FakeHost): string[] {
  if (lease === undefined) return [];
  const { state, holder, run, temporal, by, since, until } = lease;
  const now = seconds();
  const left = Math.max(0, until - now);
  const words = { state, holder, run, temporal, by, since, now, left };
  return Object.entries(words).map(([key, value]) => `${key}=${value}`);
}

/** `takeScript`. One server's runs come one after the other here, so nobody is refused. */
export function take(host: FakeHost, text: string): Said {
  const {
    holder = '',
    run = '',
    temporal = '',
    by = '',
    seconds: lasts = '0',
  } = assignmentsOf(text, ...['holder', 'run', 'temporal', 'by', 'seconds']);
  const before = leaseLines(host);
  const now = seconds();
  const since = host.lease?.run === run ? host.lease.since : now;
  host.lease = { state: 'held', holder, run, temporal, by, since, until: now + Number(lasts) };
  return said(['verdict=mine', ...before].map((line) => `${line}\n`).join(''));
}

/** `releaseScript`. */
export function release(host: FakeHost, text: string): Said {
  const { holder } = assignmentsOf(text, 'holder');
  if (host.lease?.state !== 'held' || host.lease.holder !== holder) return said('');
  host.lease.state = 'released';
  return said('released\n');
}

export function show(host: FakeHost): Said {
  return said(
    leaseLines(host)
      .map((line) => `${line}\n`)
      .join(''),
  );
}
