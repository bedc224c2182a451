import { quote } from '../../../hosts/shell.js';
import { askedNames, goalOf } from '../goal.js';
import { LOCK_PATIENCE_SECONDS } from '../patiently.js';
import { type DistributionFamily, OTHER_BYTES, type PackageFacts, type PackageFailure } from '../types.js';
import { renderAptTransaction } from './apt.js';
import { debianRepositories } from './repository.js';

/** Debian and Ubuntu: apt and dpkg. */
export const debianFamily: DistributionFamily = {
  ids: ['debian', 'ubuntu'],
  manager: 'apt',
  proxySetting: 'Acquire::http::Proxy in /etc/apt/apt.conf.d',
  supported: 'Debian 12 or newer, or Ubuntu 22.04 or newer',
  proven: 'Debian 12',
  toolsCommand: 'apt-get install coreutils findutils gzip iproute2 kmod mawk systemd tar',

  upgradeCommand(packages) {
    return `apt-get install --only-upgrade ${packages.join(' ')}`;
  },

  goal: goalOf,

  factsScript(needs) {
    const units = needs.services.map(({ name }) => `${name}.service`).sort();
    // dpkg-query exits 1 when it does not know one of the names, which is an answer too; any other failure is none: a
    // containerd.io that was not seen would be replaced by the distribution's containerd, under the pods that run.
    return `dpkg-query -W -f='package\\t\${Package}\\t\${db:Status-Abbrev}\\t\${Version}\\n' ${askedNames(needs).map(quote).join(' ')} || [ "$?" = 1 ] || exit 2
for unit in ${units.join(' ')}; do
  [ "$(readlink "/run/systemd/system/$unit")" != /dev/null ] || printf 'masked\\t%s\\n' "$unit"
done
`;
  },

  parseFacts(stdout) {
    const facts: PackageFacts = { packages: [], heldOffUnits: [] };
    for (const [kind, name = '', status = '', version = ''] of stdout.split('\n').map((line) => line.split('\t'))) {
      if (kind === 'masked') facts.heldOffUnits.push(name);
      // dpkg's abbreviations: what is wanted (i, h: hold …), what is (i: installed, U: unpacked …), errors.
      const installed = status[1] === 'i';
      if (kind === 'package') {
        facts.packages.push({ name, version: installed ? version : '', installed, held: status[0] === 'h' });
      }
    }
    return facts;
  },

  installScript({ install, hold, units }, proxy) {
    return renderAptTransaction({ install, hold, services: units, proxy });
  },

  explain,

  repositories: debianRepositories,

  hostFacts: (packages) => `conffiles=$(dpkg-query -W -f='\${Conffiles}\\n' ${packages.join(' ')})
package_proxies() { apt-config dump Acquire::http::Proxy | sed -nE 's/^Acquire::http::Proxy "(.+)";$/http_proxy=\\1/p'; }
packaged() { grep -q -F " $1 $(md5sum <"$1" | cut -d' ' -f1)" <<<"$conffiles"; }
candidate() { apt-cache policy "$1" | awk '$1 == "Candidate:" {print $2}'; }`,
};

/** apt's own words, most telling first: a mirror that is away also makes packages impossible to locate. */
function explain(output: string): PackageFailure {
  if (/lock was held for|Could not get lock|locked by another process/.test(output)) {
    return {
      code: 'KW443',
      message: `another package manager has held the lock for more than ${LOCK_PATIENCE_SECONDS / 60} minutes`,
      hint: 'Nothing is to be done if unattended-upgrades is at work (`ps -e | grep -E "apt|dpkg|unattended"`): the step goes on by itself when it ends.',
      transient: true,
    };
  }
  if (/No space left on device|don't have enough free space/.test(output)) {
    return {
      code: 'KW446',
      message: 'there is no space left for the packages',
      hint: 'Free space on / and /var (`apt-get clean` empties the package cache), then retry the step.',
      transient: false,
    };
  }
  if (/Hash Sum mismatch|File has unexpected size/.test(output)) return OTHER_BYTES;
  if (
    /Could not resolve|Could not connect|Failed to fetch|Temporary failure|Connection (?:failed|timed out)/.test(output)
  ) {
    return {
      code: 'KW444',
      message: 'the package mirror could not be reached',
      hint: 'Look at the lines above, and run `env -u http_proxy -u https_proxy apt-get update` on the host: name server, network and /etc/apt/sources.list have to be right. A proxy goes into "packages.proxy" of cluster.yaml or into /etc/apt/apt.conf.d (Acquire::http::Proxy); one that only /etc/environment or a login names is not used. Then retry the step.',
      transient: false,
    };
  }
  if (/Packages need to be removed but remove is disabled/.test(output)) {
    return {
      code: 'KW447',
      message: 'packages that the host has would have to be removed for those that are needed',
      hint: 'Nothing was removed. The lines above name them: decide which the host shall have (containerd.io of Docker is kept where it is installed whole), then retry the step.',
      transient: false,
    };
  }
  const missing = /Unable to locate package (\S+)|Package '?([^' ]+)'? has no installation candidate/.exec(output);
  if (missing) {
    return {
      code: 'KW445',
      message: `its package sources do not have ${missing[1] ?? missing[2]}`,
      hint: 'Add the distribution\'s main archive (on Ubuntu also "universe") to /etc/apt/sources.list, then retry the step.',
      transient: false,
    };
  }
  return {
    code: 'KW447',
    message: 'the packages could not be installed',
    hint: 'Run `apt-get -f install` on the host, mend what it complains of, then retry the step.',
    transient: false,
  };
}
