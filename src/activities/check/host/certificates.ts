import { isNode } from '../../../cluster/roles.js';
import { componentsOn, etcdOf, holdsMember } from '../../../components/registry/plan.js';
import { PKI_DIRECTORY } from '../../../render/kubeadm-paths.js';
import { remedies } from '../../prepare/checks/certificates.js';
import { type Concern, couldNotLook, type Fault, type LookedAt, listed } from './concern.js';
import { type Validity, validity, warnFrom, when } from './validity.js';

/** The question whose answer has the certificates of all files, `of PATH BASE64` each. */
export const CERTIFICATES_QUESTION = 'certificates';

/** Kubelets renew these by themselves; `current` is a link to the newest. */
const KUBELET_CLIENT = '/var/lib/kubelet/pki/kubelet-client-current.pem';
const KUBELET_SERVING = '/var/lib/kubelet/pki/kubelet-server-current.pem';

interface CertificateFile {
  path: string;
  /** Whether the host does not work without it. */
  required: boolean;
}

/** Bash: `public_certificates [PATH]` prints each certificate of a PEM in base64, and nothing else of it. */
export const PUBLIC_CERTIFICATES = `public_certificates() {
  awk '/^-----BEGIN CERTIFICATE-----/ {inside = 1; der = ""; next}
/^-----END CERTIFICATE-----/ {if (inside) print der; inside = 0; next}
/^-----/ {inside = 0}
inside {der = der $1}' "$@"
}`;

/**
 * Bash: `certificates PATH…` prints `of PATH BASE64` for each certificate in these files, `none`, `missing` or `unreadable`. Only
 * what stands between the lines of a certificate leaves the host: files of kubelets hold their key, too, and so do kubeconfigs.
 */
const FUNCTIONS = `${PUBLIC_CERTIFICATES}
certificates_in() {
  local kw_data
  case $1 in
    *.conf) awk '$1 == "client-certificate-data:" {gsub(/"/, "", $2); print $2}' "$1" |
      while read -r kw_data; do base64 -d <<<"$kw_data" | public_certificates; done ;;
    *) public_certificates "$1" ;;
  esac
}
certificates() {
  local kw_file kw_der kw_any
  for kw_file in "$@"; do
    exists "$kw_file"
    case $? in
      0) ;;
      44) echo "missing $kw_file"; continue ;;
      *) echo "unreadable $kw_file"; continue ;;
    esac
    kw_any=
    while read -r kw_der; do kw_any=1; echo "of $kw_file $kw_der"; done < <(certificates_in "$kw_file")
    [ -n "$kw_any" ] || echo "none $kw_file"
  done
}`;

/** When the certificates in files end. What is shown to clients may differ: see served-certificates. */
export const certificates: Concern = {
  questions(at) {
    const paths = filesOf(at).map(({ path }) => path);
    return paths.length === 0 ? '' : `${FUNCTIONS}\nask ${CERTIFICATES_QUESTION} certificates ${paths.join(' ')} &`;
  },

  judge(at, { facts, answeredAt }) {
    const files = filesOf(at);
    if (files.length === 0) return [];
    const answer = facts.answer(CERTIFICATES_QUESTION, 'it has none');
    if (answer.is === 'unknown') return [couldNotLook('its certificates', answer.why)];
    const lines = answer.is === 'yes' ? answer.value.split('\n').map((line) => line.split(' ')) : [];
    const read = files.map((file) => ({ file, valid: validityOf(file, lines) }));
    const ends = read.flatMap(({ file, valid }) =>
      typeof valid === 'object'
        ? [{ path: file.path, end: valid.to, warnFrom: warnFrom(valid, { renewsItself: isRenewed(file) }) }]
        : [],
    );
    const missing = read.filter(({ file, valid }) => valid === 'missing' && file.required);
    const untold = read.filter(({ valid }) => valid === 'unreadable' || valid === 'none' || valid === undefined);
    return [
      ...ending(ends, answeredAt, at),
      ...(missing.length === 0 ? [] : [gone(missing.map(({ file }) => file.path))]),
      ...untold.map(({ file }) => couldNotLook(file.path, 'no certificate can be read in it')),
    ];
  },
};

/** Of that one of a file's certificates which ends first, or why that is not known. */
function validityOf({ path }: CertificateFile, lines: string[][]): Validity | string | undefined {
  const own = lines.filter(([, file]) => file === path);
  const word = own.find(([kind]) => kind !== 'of')?.[0];
  if (word !== undefined) return word;
  const all = own.map(([, , der = '']) => validity(der));
  return all.includes(undefined) ? undefined : all.sort((a, b) => (a?.to ?? 0) - (b?.to ?? 0))[0];
}

/** Kubelets renew theirs by themselves. */
function isRenewed({ path }: CertificateFile): boolean {
  return path === KUBELET_CLIENT || path === KUBELET_SERVING;
}

interface Ending {
  path: string;
  /** Milliseconds since the epoch. */
  end: number;
  warnFrom: number;
}

function ending(files: Ending[], now: number, at: LookedAt): Fault[] {
  const soon = files.filter(({ warnFrom }) => warnFrom < now).sort((a, b) => a.end - b.end);
  const ended = soon.filter(({ end }) => end <= now);
  const left = soon.filter(({ end }) => end > now);
  return [
    ...faultOf('KW643', 'certificates have ended', ended, now, at),
    ...faultOf('KW644', 'certificates end soon', left, now, at),
  ];
}

function faultOf(code: string, what: string, files: Ending[], now: number, at: LookedAt): Fault[] {
  if (files.length === 0) return [];
  const names = files.map(({ path, end }) => `${path} ${when(end, now)}`);
  return [{ code, evidence: `${what}: ${listed(names, 4)}`, hint: hintFor(files, at) }];
}

function hintFor(files: Ending[], { cluster }: LookedAt): string {
  const { renews } = etcdOf(cluster);
  const paths = files.map(({ path }) => path);
  const own = paths.filter((path) => renews?.test(path) === true);
  const others = paths.filter((path) => !own.includes(path));
  const install = "`kubewright install` with the cluster's file makes those of etcd anew.";
  return [...(own.length === 0 ? [] : [install]), ...remedies(others)].join(' ');
}

function gone(paths: string[]): Fault {
  return {
    code: 'KW645',
    evidence: `certificates are missing: ${listed(paths, 4)}`,
    hint: 'Programs that run keep what they have read, and do not start again without it. Bring the files back from a backup, or have `kubeadm init phase certs` and `kubeadm init phase kubeconfig` make the single file anew.',
  };
}

/** What has certificates on a host, by its role and the cluster's choices. */
function filesOf({ cluster, host }: LookedAt): CertificateFile[] {
  const { role } = host;
  const member = `${etcdOf(cluster).pki}/etcd`;
  const found = [
    ...(role === 'control-plane' ? CONTROL_PLANE : []),
    ...(holdsMember(cluster, role)
      ? [
          ...needed(['ca', 'server', 'peer', 'healthcheck-client'].map((name) => `${member}/${name}.crt`)),
          // Kept where it was made, for control planes to come.
          ...optional([`${etcdOf(cluster).pki}/apiserver-etcd-client.crt`]),
        ]
      : []),
    ...(isNode(role) ? [...needed([KUBELET_CLIENT]), ...optional([KUBELET_SERVING])] : []),
    ...optional(ofComponents({ cluster, host })),
  ];
  return found.filter(({ path }, index) => found.findIndex((each) => each.path === path) === index);
}

/** Certificates that the components' own steps have written, such as that of a registry's authority. */
function ofComponents({ cluster, host }: LookedAt): string[] {
  const leftovers = componentsOn(cluster, host.role).flatMap(({ leaves }) => leaves);
  const files = leftovers.filter(({ kind, means }) => kind === 'path' && means === 'ours').map(({ name }) => name);
  return files.filter((name) => /^[\w/.-]+\.crt$/.test(name));
}

const needed = (paths: readonly string[]): CertificateFile[] => paths.map((path) => ({ path, required: true }));
const optional = (paths: readonly string[]): CertificateFile[] => paths.map((path) => ({ path, required: false }));

const CONTROL_PLANE: readonly CertificateFile[] = [
  ...needed(
    ['ca', 'apiserver', 'apiserver-kubelet-client', 'front-proxy-ca', 'front-proxy-client', 'apiserver-etcd-client']
      .concat('etcd/ca')
      .map((name) => `${PKI_DIRECTORY}/${name}.crt`),
  ),
  ...needed(['controller-manager', 'scheduler'].map((name) => `/etc/kubernetes/${name}.conf`)),
  // A person may have taken them away.
  ...optional(['admin', 'super-admin'].map((name) => `/etc/kubernetes/${name}.conf`)),
];
