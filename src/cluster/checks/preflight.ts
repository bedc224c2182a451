import type { Path } from '../path.js';
import { PREFLIGHT_CODES } from '../preflight-codes.js';
import type { Check } from './index.js';

/** Only checks that there are, that may be overruled, and hosts of this file. */
export const checkPreflight: Check = ({ preflight, hosts }, report) => {
  const names = new Set(hosts.map(({ name }) => name));
  for (const [index, entry] of preflight.ignore.entries()) {
    const at = (...rest: Path): Path => ['spec', 'preflight', 'ignore', index, ...rest];
    if (entry.code !== undefined) {
      const known = PREFLIGHT_CODES[entry.code];
      if (known === undefined) {
        report.error(at('code'), 'unknown-check', {
          message: 'there is no preflight check with this code',
          expected: `one of ${overrulable().join(', ')}`,
        });
      } else if (known.stands !== undefined) {
        report.error(at('code'), 'protected-check', {
          message: `this check (${known.about}) cannot be overruled: ${known.stands}`,
          expected: 'the cause mended on the host; the error that the check gives says how',
        });
      }
    }
    for (const [place, name] of (entry.hosts ?? []).entries()) {
      if (name === '' || names.has(name)) continue;
      report.error(at('hosts', place), 'unknown-host', {
        message: 'no host of this file has this name',
        expected: 'the name of a host below spec.hosts',
      });
    }
  }
};

function overrulable(): string[] {
  return Object.entries(PREFLIGHT_CODES)
    .filter(([, { stands }]) => stands === undefined)
    .map(([code]) => code);
}
