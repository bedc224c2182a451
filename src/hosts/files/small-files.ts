import { createHash } from 'node:crypto';
import { hostError } from '../errors.js';
import { assign, bash } from '../shell.js';
import type { WriteOptions } from '../types.js';

/** What the file functions need of a host: to run a script as root to its end. */
export interface FileHost {
  readonly name: string;
  collect(script: string, input?: Buffer): Promise<{ exitCode: number; stdout: Buffer; stderr: string }>;
}

/** Records what Kubewright wrote where, so that an original, or a person's later edit, is known and kept. */
const WRITTEN_DIRECTORY = '/var/lib/kubewright/files';
/** Backups of files whose directory reads every file it holds. */
const BACKUP_DIRECTORY = '/var/lib/kubewright/backups';

const NOT_THERE = 44;

/** That there is no such file is believed only when the system says so, not when the path cannot be looked at. */
const READ = bash`
if [ ! -e "$path" ]; then
  said=$(stat -L -- "$path" 2>&1 >/dev/null)
  case $said in
    '') ;;
    *'No such file or directory' | *'Not a directory') exit ${NOT_THERE} ;;
    *) printf '%s\n' "$said" >&2; exit 1 ;;
  esac
fi
exec cat -- "$path"
`;

/** Content of a file, or undefined where there is none. @throws KubewrightError KW253 when it cannot be read */
export async function readFile(host: FileHost, path: string): Promise<Buffer | undefined> {
  checkPath(path);
  const { exitCode, stdout, stderr } = await host.collect(assign({ path }) + READ);
  if (exitCode === NOT_THERE) return undefined;
  if (exitCode === 0) return stdout;
  throw hostError('fileNotWritten', `cannot read ${path}: ${stderr.trim() || `exit code ${exitCode}`}`, {
    host: host.name,
  });
}

/**
 * One round trip: compares, backs up what is not ours, writes beside the target, verifies, renames. The record of what
 * is ours is written before the rename: a crash between leaves a needless backup, never a missing one.
 */
const WRITE = bash`
set -u
fail() { printf '%s\n' "$*" >&2; [ -z "\${temp:-}" ] || rm -f -- "$temp"; exit 1; }
target=$(readlink -m -- "$path")
[ ! -d "$target" ] || fail "$path is a directory"
# A masked unit is a link to /dev/null: what is renamed onto that is the end of the host.
[ ! -e "$target" ] || [ -f "$target" ] || fail "$path is, or leads to, $target, which is no regular file"
directory=$(dirname -- "$target")
record=${WRITTEN_DIRECTORY}/$(printf %s "$target" | sha256sum | head -c 64)
mkdir -p -- "$directory" && (umask 077 && mkdir -p ${WRITTEN_DIRECTORY}) || fail "cannot make $directory"

if [ -f "$target" ]; then
  there=$(sha256sum <"$target"); there=\${there%% *}
  attributes=$(stat -c '%04a %U:%G' -- "$target")
  if [ "$there" = "$sha256" ]; then
    [ "$attributes" != "$mode $owner" ] || { echo unchanged; exit 0; }
    chown -- "$owner" "$target" && chmod -- "$mode" "$target" || fail "cannot set owner and mode of $path"
    echo changed
    exit 0
  fi
  ours=; { read -r ours _ <"$record"; } 2>/dev/null
  if [ "$backup" = yes ] && [ "$ours" != "$there" ]; then
    suffix=kubewright-backup-$(date -u +%Y%m%dT%H%M%S.%3NZ)
    copy=$target.$suffix
    case $directory in
      # The kubelet runs every file that it finds there.
      */manifests) mkdir -p ${BACKUP_DIRECTORY}; copy=${BACKUP_DIRECTORY}/$(basename -- "$target").$suffix ;;
    esac
    cp -a -- "$target" "$copy" && sync "$copy" || fail "cannot back up $path to $copy"
    printf 'kept %s\n' "$copy"
  fi
fi

temp=$(mktemp -- "$directory/.kubewright.XXXXXXXX") || fail "cannot write in $directory"
cat >"$temp" || fail "cannot write $temp"
got=$(sha256sum <"$temp")
[ "\${got%% *}" = "$sha256" ] || fail "what arrived at $temp is not what was sent"
chown -- "$owner" "$temp" && chmod -- "$mode" "$temp" || fail "cannot set owner $owner and mode $mode"
sync "$temp" || fail "cannot sync $temp"
(umask 077; printf '%s %s\n' "$sha256" "$target" >"$record.new" && mv -f -- "$record.new" "$record") || fail "cannot record $path"
mv -fT -- "$temp" "$target" || fail "cannot rename $temp to $path"
sync "$directory"
echo changed
`;

/** See `RemoteHost.writeFile`. @throws KubewrightError KW253, or KW250 when the disk is full */
export async function writeFile(
  host: FileHost,
  path: string,
  content: string | Buffer,
  options: WriteOptions = {},
): Promise<boolean> {
  checkPath(path);
  const bytes = Buffer.from(content as string);
  const parameters = {
    path,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    mode: (options.mode ?? 0o644).toString(8).padStart(4, '0'),
    owner: options.owner ?? 'root:root',
    backup: (options.backup ?? true) ? 'yes' : 'no',
  };
  const { exitCode, stdout, stderr } = await host.collect(assign(parameters) + WRITE, bytes);
  const lines = stdout.toString().trim().split('\n');
  const answer = lines.pop();
  for (const line of lines) if (line.startsWith('kept ')) options.onBackup?.(path, line.slice('kept '.length));
  if (exitCode === 0 && answer === 'changed') return true;
  if (exitCode === 0 && answer === 'unchanged') return false;
  const full = /No space left|Disk quota/i.test(stderr);
  throw hostError(
    full ? 'noSpace' : 'fileNotWritten',
    `cannot write ${path}: ${stderr.trim().slice(-500) || `exit code ${exitCode}`}`,
    {
      host: host.name,
      hint: full ? 'Free some space there and retry.' : 'What was there is untouched. Mend the cause and retry.',
    },
  );
}

/** Paths on hosts come from this project or from checked input; anything else is a defect, not a user's mistake. */
export function checkPath(path: string): void {
  if (!path.startsWith('/') || /[\0\n\t]/.test(path))
    throw new TypeError(`not an absolute path without control characters: ${JSON.stringify(path)}`);
}
