import type { Check } from '../../../cluster/checks/index.js';
import { isAddress } from '../../../cluster/documents.js';
import { type PackageRepository, PLACEHOLDERS } from '../../../cluster/package-repository.js';
import { type Path, valueAt } from '../../../cluster/path.js';
import type { Report } from '../../../cluster/report.js';
import type { Sketch } from '../../../cluster/resolve/draft.js';

const PLACE: Path = ['spec', 'packages', 'repository'];
const CERTIFICATES = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/;
const PUBLIC_KEY = /-----BEGIN PGP PUBLIC KEY BLOCK-----[\s\S]+?-----END PGP PUBLIC KEY BLOCK-----/;
const PRIVATE = /-----BEGIN (?:[A-Z ]*PRIVATE KEY|PGP PRIVATE KEY BLOCK)-----/;

/** The repository of packages: an address that can be one, a key that is one, and no password in clear. */
export const checkRepository: Check = (cluster, report) => {
  if (!report.written(PLACE)) {
    report.error(['spec', 'packages', 'source'], 'no-repository', {
      message: 'nobody says who signs the packages: Kubewright pins no key for you',
      expected: 'packages.repository with key: a file, or { from: https://…, sha256: … }',
    });
    return;
  }
  const { packages } = cluster;
  if (packages.source !== 'repository') return;
  const { repository } = packages;
  checkAddress(repository, report);
  checkKey(repository, report);
  checkAuthorities(repository, report);
};

function checkAddress({ url, loginEnv }: Sketch<PackageRepository>, report: Report): void {
  if (url === undefined) return;
  if (!URL.canParse(url)) {
    report.error([...PLACE, 'url'], 'impossible-address', {
      message: 'no address is like that',
      expected: 'an address whose port, if it names one, is at most 65535',
    });
    return;
  }
  const unknown = (url.match(/\{[^}]*\}?/g) ?? []).find((word) => !PLACEHOLDERS.some((known) => known === word));
  if (unknown !== undefined) {
    report.error([...PLACE, 'url'], 'unknown-placeholder', {
      message: `nothing stands for ${unknown}`,
      expected: `${PLACEHOLDERS.join(' and ')}, or an address without braces`,
    });
  }
  if (url.startsWith('http://') && loginEnv != null) {
    report.error([...PLACE, 'loginEnv'], 'login-in-clear', {
      message: 'over http everybody on the way reads the password',
      expected: 'an address with https, or no loginEnv',
    });
  }
}

function checkKey({ key }: Sketch<PackageRepository>, report: Report): void {
  const written = valueAt(report.document.value, [...PLACE, 'key']);
  if (typeof written === 'string' && isAddress(written)) {
    report.error([...PLACE, 'key'], 'address-not-pinned', {
      message: 'whoever answers at this address would say which key is the right one',
      expected: '{ from: https://…, sha256: … }',
    });
  }
  if (key === undefined) return;
  if (PRIVATE.test(key)) {
    report.error([...PLACE, 'key'], 'secret', {
      message: 'it holds a private key, which would stand in the plan in clear',
      expected: 'the public key alone',
    });
  } else if (!PUBLIC_KEY.test(key)) {
    report.error([...PLACE, 'key'], 'no-key', {
      message: 'it holds no OpenPGP key in ASCII armour',
      expected: 'a file with -----BEGIN PGP PUBLIC KEY BLOCK-----, as `gpg --armor --export` makes it',
    });
  }
}

function checkAuthorities({ ca }: Sketch<PackageRepository>, report: Report): void {
  if (typeof ca !== 'string') return;
  if (PRIVATE.test(ca)) {
    report.error([...PLACE, 'caFile'], 'secret', {
      message: 'it holds a private key, which would stand in the plan in clear',
      expected: 'certificates alone',
    });
  } else if (!CERTIFICATES.test(ca)) {
    report.error([...PLACE, 'caFile'], 'no-certificates', {
      message: 'it holds no certificate',
      expected: 'a file with -----BEGIN CERTIFICATE-----',
    });
  }
}
