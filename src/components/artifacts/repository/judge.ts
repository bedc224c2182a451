import { listed, type Problem } from '../../../activities/prepare/checks/problem.js';
import type { Offered } from './on-host.js';
import { choose } from './packages.js';

/** Words of apt, gpgv, sqv, dnf and curl, by what they mean; most telling first: what is not trusted is also not there. */
const MEANINGS: readonly { words: RegExp; code: string; what: string; hint: string }[] = [
  {
    words: /\b401\b|Unauthorized/i,
    code: 'KW374',
    what: 'is refused by the repository of packages: it wants a login, or another one',
    hint: 'Name a variable with NAME:PASSWORD in packages.repository.loginEnv, or correct what it holds where the worker runs.',
  },
  {
    words: /certificate|Curl error \(60\)|SSL peer|TLS connection/i,
    code: 'KW374',
    what: 'does not trust the certificate of the repository of packages',
    hint: "Name its certificate authority in packages.repository.caFile, or add it to the host's own.",
  },
  {
    words: /NOSPLIT|NODATA|error: No data|network require authentication/,
    code: 'KW374',
    what: 'gets something else than a list of packages from the repository',
    hint: 'Correct packages.repository.url. Where that is right, something before it answers in its place, such as a proxy or a network that wants a login.',
  },
  {
    words:
      /NO_PUBKEY|BADSIG|EXPKEYSIG|is not signed|GPG signature|signatures? (?:couldn't|could not) be verified|GPG check FAILED|Policy rejected|Missing key/i,
    code: 'KW376',
    what: 'does not take the signature of the repository of packages for that of packages.repository.key',
    hint: 'Take the key that signs this repository (Release.key or repomd.xml.key there), or one that has not expired.',
  },
];

/**
 * What keeps a host from getting its packages; pure.
 *
 * @param host its name
 * @param names of the packages that it gets
 */
export function judge(
  { offers, failed }: Offered,
  { host, names, version, url }: { host: string; names: readonly string[]; version: string; url: string },
): Problem[] {
  const hosts = [host];
  if (failed !== undefined) {
    const known = MEANINGS.find(({ words }) => words.test(failed));
    const said = failed.trim() === '' ? '' : ` (${failed.trim()})`;
    if (known !== undefined) {
      return [{ code: known.code, what: `${host} ${known.what}${said}`, hint: known.hint, hosts }];
    }
    return [
      {
        code: 'KW374',
        what: `${host} gets no list of packages from ${url}${said}`,
        hint: 'Correct packages.repository.url, or let the hosts reach it (packages.proxy).',
        hosts,
      },
    ];
  }
  const { missing } = choose(names, offers, version);
  if (missing.length === 0) return [];
  return [
    {
      code: 'KW375',
      what: `${host} cannot install ${listed(missing)}: ${url} does not have it for its architecture, or the host's package manager leaves it out`,
      hint: 'Take a version that the repository has (kubernetes.version), or bring it there. On hosts with dnf see that no `exclude` of /etc/dnf/dnf.conf names it.',
      hosts,
    },
  ];
}
