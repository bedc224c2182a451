import { quote } from '../../../hosts/shell.js';
import { askedNames, goalOf } from '../goal.js';
import type { DistributionFamily } from '../types.js';
import { PROVIDERS, renderDnfTransaction } from './dnf.js';
import { explain } from './explain.js';
import { rhelRepositories } from './repository.js';

/** Packages that this family calls otherwise than Debian; `iptables` is what several packages provide. */
const NAMES: Record<string, string> = { mount: 'util-linux' };

const nameOf = (name: string): string => NAMES[name] ?? name;

/** Locks versions: dnf's counterpart of `apt-mark hold`. */
const VERSIONLOCK = 'python3-dnf-plugin-versionlock';

/** Where that keeps its locks, one a line: `containerd-0:1.7.27-1.el9.*`. */
const LOCKS = '/etc/dnf/plugins/versionlock.list';

/** RHEL, its rebuilds and CentOS Stream, and openEuler: dnf and rpm. */
export const rhelFamily: DistributionFamily = {
  ids: ['rhel', 'centos', 'rocky', 'almalinux', 'fedora', 'openEuler'],
  manager: 'dnf',
  proxySetting: 'proxy= in /etc/dnf/dnf.conf',
  supported: 'RHEL, Rocky Linux, AlmaLinux or CentOS Stream 9 or newer, or openEuler 22.03 or newer',
  proven: 'Debian 12',
  toolsCommand: 'dnf install coreutils findutils gawk gzip iproute kmod systemd tar',

  upgradeCommand(packages) {
    return `dnf upgrade ${packages.join(' ')}`;
  },

  goal(role, needs, present) {
    const { install, hold } = goalOf(role, needs, present);
    const locker = hold.length > 0 ? [VERSIONLOCK] : [];
    // Nothing starts when it is installed, so no unit has to be held off.
    return { install: [...install.map(nameOf), ...locker], hold: hold.map(nameOf), units: [] };
  },

  factsScript(needs) {
    const asked = [...new Set([...askedNames(needs).map(nameOf), VERSIONLOCK])].map(quote);
    return `${PROVIDERS}
for name in ${asked.join(' ')}; do
  status=0
  found=$(providers "$name") || status=$?
  [ "$status" -lt 2 ] || exit 2
  [ "$status" = 0 ] || continue
  IFS=$'\\t' read -r package epoch version <<<"$found"
  held=free
  if [ -r ${LOCKS} ] && grep -q -x -F "$package-$epoch:$version.*" ${LOCKS}; then held=held; fi
  printf 'package\\t%s\\t%s\\t%s\\n' "$name" "$version" "$held"
done
`;
  },

  parseFacts(stdout) {
    const lines = stdout.split('\n').map((line) => line.split('\t'));
    const packages = lines
      .filter(([kind]) => kind === 'package')
      .map(([, name = '', version = '', held]) => ({ name, version, installed: true, held: held === 'held' }));
    return { packages, heldOffUnits: [] };
  },

  installScript({ install, hold }, proxy) {
    return renderDnfTransaction({ install, hold, proxy });
  },

  explain,

  repositories: rhelRepositories,

  // Starting dnf to ask for a candidate may fetch metadata, which a look does not; rpm -V marks a digest that differs by a 5.
  hostFacts: () => `package_proxies() {
  sed -nE 's/^proxy[[:space:]]*=[[:space:]]*([^_[:space:]].*)$/http_proxy=\\1/p' /etc/dnf/dnf.conf
}
packaged() {
  rpm -qf "$1" >/dev/null || return 1
  [ -z "$(rpm -Vf --nodeps --noscripts "$1" | awk -v path="$1" 'substr($0, 3, 1) == "5" && $NF == path')" ]
}
candidate() { :; }`,
};
