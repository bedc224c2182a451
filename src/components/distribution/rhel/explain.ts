import { LOCK_PATIENCE_SECONDS } from '../patiently.js';
import { OTHER_BYTES, type PackageFailure } from '../types.js';

/** dnf's and rpm's own words by what they mean, most telling first: a mirror that is away also leaves packages unfound. */
const MEANINGS: [RegExp, Omit<PackageFailure, 'transient'> & { transient?: boolean }][] = [
  [
    /lock was held for|already locked by|can't create transaction lock/,
    {
      code: 'KW443',
      message: `another package manager has held the lock for more than ${LOCK_PATIENCE_SECONDS / 60} minutes`,
      hint: 'Nothing is to be done if dnf-automatic or PackageKit is at work (`ps -e | grep -E "dnf|yum|rpm|packagekit"`): the step goes on by itself when it ends.',
      transient: true,
    },
  ],
  [
    /No space left on device|more space needed on|more space on the|[Ii]nsufficient space|[Nn]ot enough (?:free|disk) space/,
    {
      code: 'KW446',
      message: 'there is no space left for the packages',
      hint: 'Free space on the file system that the lines above name, else on / and /var (`dnf clean packages` empties the download directory /var/cache/dnf), then retry the step.',
    },
  ],
  [/checksum doesn't match/, OTHER_BYTES],
  [
    /Failed to download metadata|Curl error|Could ?n[o']t resolve|All mirrors were tried|No more mirrors to try|Cannot prepare internal mirrorlist/,
    {
      code: 'KW444',
      message: 'the package mirror could not be reached',
      hint: 'Look at the lines above, and run `env -u http_proxy -u https_proxy dnf makecache` on the host: name server, network, the clock and certificates, and the addresses in /etc/yum.repos.d have to be right. A proxy goes into "packages.proxy" of cluster.yaml or into /etc/dnf/dnf.conf (proxy=); one that only /etc/environment or a login names is not used. Then retry the step.',
    },
  ],
  [
    /GPG check FAILED|Public key for .* is not (?:installed|trusted)|GPG Keys? .*(?:retrieval failed|are not correct|are configured)|repomd\.xml GPG signature verification error/i,
    {
      code: 'KW447',
      message: 'the signature of a package, or of a repository, is not one that the host trusts',
      hint: "Nothing was installed. See that gpgkey= of the repository in /etc/yum.repos.d leads to its maker's key, or bring the key by `rpm --import`, then retry the step.",
    },
  ],
  [
    /no enabled repositories/i,
    {
      code: 'KW445',
      message: 'it has no package repositories, or none that is enabled',
      hint: "Register a host of RHEL (`subscription-manager register`), or enable the distribution's repositories in /etc/yum.repos.d (`dnf repolist --all` lists them), then retry the step.",
    },
  ],
];

const CONFLICT: PackageFailure = {
  code: 'KW447',
  message: 'packages that the host has, or locks, do not go with those that are needed',
  hint: 'Nothing was removed. The lines above name them: decide which the host shall have (containerd.io of Docker is kept where it is installed whole; /etc/dnf/plugins/versionlock.list has the locks), then retry the step.',
  transient: false,
};

/** What went wrong with the transaction of `renderDnfTransaction`. */
export function explain(output: string): PackageFailure {
  const known = MEANINGS.find(([words]) => words.test(output))?.[1];
  if (known !== undefined) return { transient: false, ...known };
  const missing = [...output.matchAll(/^(?:No match for argument|Error: Unable to find a match): (.+)$/gm)];
  if (missing.length > 0) return notFound([...new Set(missing.flatMap(([, names = '']) => names.trim().split(/\s+/)))]);
  if (
    /conflicting requests|conflicts with|nothing provides|filtered out by exclude filtering|^\s*Problem/m.test(output)
  ) {
    return CONFLICT;
  }
  return {
    code: 'KW447',
    message: 'the packages could not be installed',
    hint: 'Run `dnf check` on the host, mend what it and the lines above complain of, then retry the step.',
    transient: false,
  };
}

function notFound(names: string[]): PackageFailure {
  const ofContainerd = names.some((name) => name === 'containerd' || name === 'runc')
    ? " RHEL and its rebuilds have no containerd: install containerd.io of Docker's repository, which is kept, or take the bundle's (`runtime.source: bundle`)."
    : '';
  return {
    code: 'KW445',
    message: `its package repositories do not have ${names.join(', ')}`,
    hint: `Enable the repository that has it in /etc/yum.repos.d (\`dnf repolist --all\` lists them), then retry the step.${ofContainerd}`,
    transient: false,
  };
}
