import { quote } from '../../../hosts/shell.js';
import { type ExtraRepository, lookBelow, type Repositories, type RepositoryFile, SAID } from '../repositories.js';
import { END_AGENTS, renderDnfTransaction } from './dnf.js';

const keyPath = (name: string) => `/etc/pki/rpm-gpg/RPM-GPG-KEY-${name}`;
const repoPath = (name: string) => `/etc/yum.repos.d/${name}.repo`;
const authoritiesPath = (name: string) => `/etc/pki/rpm-gpg/${name}-ca.pem`;

/** Of RHEL's family and openEuler: dnf.conf(5). */
export const rhelRepositories: Repositories = {
  format: 'rpm',
  files: (repository, root = '') => filesOf(repository, root),
  paths: (name) => [keyPath, repoPath, authoritiesPath].map((path) => path(name)),

  offersScript(repository, packages, proxy, root) {
    const options = [
      ...[`reposdir=${root}/etc/yum.repos.d`, `cachedir=${root}/cache`, `persistdir=${root}/state`],
      ...['timeout=10', 'retries=1'],
      ...(proxy === null ? [] : [`proxy=${proxy}`]),
    ].map((option) => `--setopt=${option}`);
    // No plugin: a lock hides the versions that it forbids, and some keep caches of their own. The key goes into the cache below `root`, and
    // -y is for that question.
    return lookBelow(
      root,
      filesOf(repository, root),
      `  ${SAID}
  ${END_AGENTS}
  export LC_ALL=C
  timeout 120 dnf -y ${options.map(quote).join(' ')} --noplugins --repo=${quote(repository.name)} \\
    repoquery --qf 'offer %{name} %{version}-%{release}' ${packages.map(quote).join(' ')} >${root}/offers 2>${root}/said </dev/null
  end_agents ${root}/cache
  while read -r word name version; do [ "$word" != offer ] || row offer "$name" "$version"; done <${root}/offers
  grep -q '^offer ' ${root}/offers || row repository-failed "$(said ${root}/said)"`,
    );
  },

  // Each repository has a section of its own, by its id.
  conflictScript: () => '',

  installScript: (name, { install, hold }, proxy) =>
    renderDnfTransaction({
      install: install.map((each) => `${each.name}-${each.version}`),
      hold: [...hold],
      proxy,
      enable: [name],
    }),
};

/**
 * It is not enabled: what is installed of it by name is for Kubewright to choose, and an upgrade of the system finds no newer one.
 * Metadata is signed, as packages are: else an old state of the repository could be shown to a host for ever.
 */
function filesOf({ name, title, url, key, ca, login }: ExtraRepository, root: string): RepositoryFile[] {
  const repo = [
    '# Written by Kubewright.',
    `[${name}]`,
    `name=${title}`,
    `baseurl=${url}`,
    'enabled=0',
    'gpgcheck=1',
    'repo_gpgcheck=1',
    'skip_if_unavailable=0',
    `gpgkey=file://${root}${keyPath(name)}`,
    ...(ca === null ? [] : [`sslcacert=${root}${authoritiesPath(name)}`]),
    ...(login === null ? [] : [`username=${login.name}`, `password=${login.password}`]),
    '',
  ].join('\n');
  const mode = login === null ? 0o644 : 0o600;
  const file: RepositoryFile = { path: `${root}${repoPath(name)}`, content: repo, mode };
  return [
    { path: `${root}${keyPath(name)}`, content: key, mode: 0o644 },
    ...(ca === null ? [] : [{ path: `${root}${authoritiesPath(name)}`, content: ca, mode: 0o644 }]),
    login === null ? file : { ...file, isSecret: true },
  ];
}
