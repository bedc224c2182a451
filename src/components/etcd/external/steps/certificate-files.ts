import { createHash } from 'node:crypto';
import { KubewrightError } from '../../../../errors.js';
import { quote } from '../../../../hosts/shell.js';
import type { RemoteHost } from '../../../../hosts/types.js';

/** A certificate or a key, on its way from one host to another through this process's memory. */
export interface PkiFile {
  path: string;
  content: Buffer;
  /** Whose it is; default root. */
  owner?: string | undefined;
}

/** The CA's certificate and its key, on the host that has both. */
export interface Authority {
  host: RemoteHost;
  ca: string;
  key: string;
}

/** Stands in a kubeadm configuration for the directory that the host chooses. */
export const DIRECTORY = '@DIRECTORY@';

const CA_KEY_GONE = 44;

/**
 * Bash: makes certificates beside the CA's key and prints each file as `NAME BASE64`. They lie in memory (/run) for as long
 * as that takes, and are gone before the first of them is printed: a connection that breaks leaves nothing behind. What an
 * end by `kill -9` left is cleared away by the next one.
 *
 * @param authority paths of the CA's certificate and key
 * @param config kubeadm's configuration, with `DIRECTORY` as its directory of certificates
 * @param names files below `etcd/`, without `.crt` and `.key`
 */
export function makeScript({ ca, key }: Omit<Authority, 'host'>, config: string, names: readonly string[]): string {
  return `set -eu
umask 077
[ -e ${key} ] || exit ${CA_KEY_GONE}
mkdir -p /run/kubewright
find /run/kubewright -maxdepth 1 -name 'etcd-certificates*' -mmin +10 -exec rm -rf -- {} +
directory=$(mktemp -d /run/kubewright/etcd-certificates.XXXXXXXX)
trap 'rm -rf -- "$directory"' EXIT
mkdir "$directory/etcd"
ln -s ${ca} ${key} "$directory/etcd/"
config=${quote(config)}
printf %s "\${config//${DIRECTORY}/$directory}" >"$directory/kubeadm.yaml"
for name in ${names.join(' ')}; do
  kubeadm init phase certs "etcd-$name" --config="$directory/kubeadm.yaml" >&2
done
made=
for file in ca.crt ${names.flatMap((name) => [`${name}.crt`, `${name}.key`]).join(' ')}; do
  made+="$file $(base64 -w 0 "$directory/etcd/$file")"$'\\n'
done
rm -rf -- "$directory"
printf %s "$made"
`;
}

/**
 * Makes certificates on the host with the CA's key.
 *
 * @returns content by file name, such as `peer.key`
 * @throws KubewrightError KW471 when the key is not there, KW472 when kubeadm fails
 */
export async function makeCertificates(
  authority: Authority,
  host: string,
  config: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Buffer>> {
  const script = makeScript(authority, config, names);
  const { exitCode, stdout, stderr } = await authority.host.run(script, {
    signal,
    allowFailure: true,
    timeoutMs: 60_000,
  });
  const lines = stdout.split('\n').filter(Boolean);
  if (exitCode === 0 && lines.length === 1 + 2 * names.length) {
    return new Map(lines.map((line) => [line.split(' ')[0] ?? '', Buffer.from(line.split(' ')[1] ?? '', 'base64')]));
  }
  if (exitCode === CA_KEY_GONE) throw keyIsGone(authority);
  throw new KubewrightError('KW472', `the etcd certificates of ${host} could not be made`, {
    host: authority.host.name,
    // Never what it printed to standard output: that is where keys go.
    output: stderr.trim().slice(-4000),
    hint: 'The output says why. Mend the cause there, then retry the step.',
  });
}

function keyIsGone({ host, key }: Authority): KubewrightError {
  return new KubewrightError('KW471', "the key of etcd's CA is not there, and certificates are to be made", {
    host: host.name,
    hint: `Put your backup of it back to ${key} (mode 0600, root), then retry the step.`,
  });
}

/** Reads files of a host. @throws KubewrightError KW473 when one is not there */
export function fetchFiles(from: RemoteHost, paths: readonly string[]): Promise<PkiFile[]> {
  return Promise.all(
    paths.map(async (path) => {
      const content = await from.readFile(path);
      if (content !== undefined) return { path, content };
      throw new KubewrightError('KW473', `${path} is not there`, {
        host: from.name,
        hint: `It was there a moment ago, or an earlier step has to make it: retry the step, and look at ${from.name} if it stays away.`,
      });
    }),
  );
}

/**
 * Bash: takes lines `MODE[:OWNER] SHA256 PATH BASE64` on standard input, ended by one with a dot, and puts nothing in place before all of it has arrived
 * whole and is on the disk. Then one rename follows the other; power that fails between two of them leaves a key beside
 * another one's certificate, which the next probe sees.
 */
export const PLACE = `set -eu
umask 022
temps=() targets=()
trap 'rm -f -- "\${temps[@]}"' EXIT
while read -r mode sha256 target text && [ "$mode" != . ]; do
  directory=$(dirname -- "$target")
  mkdir -p -- "$directory"
  temp=$(mktemp -- "$directory/.kubewright.XXXXXXXX")
  temps+=("$temp") targets+=("$target")
  printf %s "$text" | base64 -d >"$temp"
  got=$(sha256sum <"$temp")
  [ "\${got%% *}" = "$sha256" ]
  case $mode in *:*) chown -- "\${mode#*:}" "$temp" ;; esac
  chmod -- "\${mode%%:*}" "$temp"
  sync "$temp"
done
[ "$mode" = . ]
for index in "\${!temps[@]}"; do mv -fT -- "\${temps[$index]}" "\${targets[$index]}"; done
sync "$directory"
`;

/**
 * Puts certificates and keys in place together; keys are readable by their owner alone. No backup of what was there: a copy of a key is one
 * key too many.
 */
export async function placeFiles(to: RemoteHost, files: PkiFile[], signal: AbortSignal): Promise<void> {
  const lines = files.map(({ path, content, owner }) => {
    const mode = path.endsWith('.key') ? '0600' : '0644';
    return `${mode}${owner === undefined ? '' : `:${owner}`} ${createHash('sha256').update(content).digest('hex')} ${path} ${content.toString('base64')}\n`;
  });
  await to.run(PLACE, { signal, input: `${lines.join('')}.\n` });
}
