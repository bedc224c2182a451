import type { Path } from '../path.js';
import type { Report } from '../report.js';
import { PRIVATE_KEY } from './settings/secrets.js';

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/;

/** A file of certificates that holds some, and no key. @param place of the key that names it */
export function checkCertificates(ca: string | null | undefined, place: Path, report: Report): void {
  if (typeof ca !== 'string') return;
  if (!CERTIFICATES.test(ca)) {
    report.error(place, 'no-certificates', {
      message: PRIVATE_KEY.test(ca) ? 'it holds a private key, and no certificate' : 'it holds no certificate',
      expected: 'a file with -----BEGIN CERTIFICATE-----',
    });
  }
  if (PRIVATE_KEY.test(ca)) {
    report.error(place, 'secret', {
      message: 'it holds a private key, which would stand in the plan in clear',
      expected: 'certificates alone',
    });
  }
}
