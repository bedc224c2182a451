import { posix } from 'node:path';
import { hostOfUrl } from '../../../cluster/package-repository.js';
import { quote } from '../../../hosts/shell.js';
import { type ExtraRepository, lookBelow, type Repositories, type RepositoryFile, SAID } from '../repositories.js';
import { renderAptTransaction } from './apt.js';

const keyPath = (name: string) => `/etc/apt/keyrings/${name}.asc`;
const sourcesPath = (name: string) => `/etc/apt/sources.list.d/${name}.sources`;
const authoritiesPath = (name: string) => `/etc/apt/keyrings/${name}-ca.pem`;
const settingsPath = (name: string) => `/etc/apt/apt.conf.d/60${name}`;
const loginPath = (name: string) => `/etc/apt/auth.conf.d/${name}.conf`;

/** What distributions and people have apt do around an update, such as indexes for other programs, is none of a look's. */
const NO_HOOKS =
  '#clear APT::Update::Pre-Invoke;\n#clear APT::Update::Post-Invoke;\n#clear APT::Update::Post-Invoke-Success;\n';

/** Of Debian and Ubuntu: sources.list(5), apt_auth.conf(5), apt-transport-https(1). */
export const debianRepositories: Repositories = {
  format: 'deb',
  files: (repository, root = '') => filesOf(repository, root),
  paths: (name) => [keyPath, sourcesPath, authoritiesPath, settingsPath, loginPath].map((path) => path(name)),

  offersScript(repository, packages, proxy, root) {
    const files = filesOf(repository, root);
    const settings = `${root}${settingsPath(repository.name)}`;
    const hooks: RepositoryFile = { path: `${root}/no-hooks.conf`, content: NO_HOOKS, mode: 0o644 };
    const options = [
      ...['-c', hooks.path],
      ...(files.some(({ path }) => path === settings) ? ['-c', settings] : []),
      ...[`Dir::Etc=${root}/etc/apt`, `Dir::State::lists=${root}/lists`, `Dir::Cache=${root}/cache`],
      // Its own user may not look into a directory of root's.
      ...['APT::Sandbox::User=root', 'Acquire::Languages=none', 'Acquire::Retries=1', 'Acquire::https::Timeout=10'],
      ...(proxy === null ? [] : [`Acquire::http::Proxy=${proxy}`, `Acquire::https::Proxy=${proxy}`]),
    ].map((option) => (option.includes('=') ? `-o${option}` : option));
    return lookBelow(
      root,
      [...files, hooks],
      `  ${SAID}
  mkdir -p ${root}/lists/partial ${root}/cache/archives/partial
  options=(${options.map(quote).join(' ')})
  export LC_ALL=C.UTF-8
  timeout 120 apt-get "\${options[@]}" -q update >${root}/said 2>&1 </dev/null
  apt-cache "\${options[@]}" madison ${packages.map(quote).join(' ')} 2>/dev/null | tr -d ' ' >${root}/offers
  while IFS='|' read -r name version _; do row offer "$name" "$version"; done <${root}/offers
  [ -s ${root}/offers ] || row repository-failed "$(said ${root}/said)"`,
    );
  },

  conflictScript(repository, root) {
    const path = sourcesPath(repository.name);
    const sources = filesOf(repository, '').find((file) => file.path === path)?.content ?? '';
    const parts = `${root}/sources.list.d`;
    // Two entries for one repository have to name the same key, or apt reads no list at all. Slash or none at the end is the same.
    const url = repository.url.replace(/\/+$/, '');
    return lookBelow(
      root,
      [],
      `  ${SAID}
  mkdir -p ${parts} ${root}/cache
  cp -p /etc/apt/sources.list.d/* ${parts}/ 2>/dev/null
  printf %s ${quote(sources)} >${parts}/${posix.basename(path)}
  export LC_ALL=C.UTF-8
  apt-get -oDir::Etc::SourceParts=${parts} -oDir::Cache=${root}/cache indextargets >/dev/null 2>${root}/said </dev/null && exit
  grep -q 'Conflicting values' ${root}/said || exit 0
  others=$(grep -rlF ${quote(url)} /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | grep -vxF ${path} | tr '\\n' ' ')
  row repository-conflict "$(said ${root}/said)" "$others"`,
    );
  },

  installScript: (name, { install, hold }, proxy) =>
    renderAptTransaction({
      install: install.map((each) => `${each.name}=${each.version}`),
      hold: [...hold],
      services: hold.includes('kubelet') ? ['kubelet.service'] : [],
      proxy,
      refresh: sourcesPath(name),
    }),
};

function filesOf({ name, title, url, key, ca, login }: ExtraRepository, root: string): RepositoryFile[] {
  const sources = `# Written by Kubewright.
# ${title}
Types: deb
URIs: ${url}
Suites: /
Signed-By: ${root}${keyPath(name)}
`;
  return [
    { path: `${root}${keyPath(name)}`, content: key, mode: 0o644 },
    { path: `${root}${sourcesPath(name)}`, content: sources, mode: 0o644 },
    ...(ca === null ? [] : authorities(name, url, ca, root)),
    ...(login === null ? [] : [loginFile(name, url, login, root)]),
  ];
}

/** apt looks for an option of a host below the method's name, and then for the method's own (apt's aptmethod.h). */
function authorities(name: string, url: string, ca: string, root: string): RepositoryFile[] {
  const settings = `// Written by Kubewright.
Acquire::https::${hostOfUrl(url)}::CaInfo "${root}${authoritiesPath(name)}";
`;
  return [
    { path: `${root}${authoritiesPath(name)}`, content: ca, mode: 0o644 },
    { path: `${root}${settingsPath(name)}`, content: settings, mode: 0o644 },
  ];
}

/** Without a protocol an entry is for https alone. */
function loginFile(
  name: string,
  url: string,
  login: NonNullable<ExtraRepository['login']>,
  root: string,
): RepositoryFile {
  const { host, pathname } = new URL(url);
  const content = `machine ${host}${pathname}\nlogin ${login.name}\npassword ${login.password}\n`;
  return { path: `${root}${loginPath(name)}`, content, mode: 0o600, isSecret: true };
}
