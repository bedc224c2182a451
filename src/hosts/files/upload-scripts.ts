import { bash } from '../shell.js';

const UPLOADS_DIRECTORY = '/var/lib/kubewright/uploads';

/** Kept free beside what is uploaded: logs and records are written meanwhile. */
const SPARE_BYTES = 16 * 1024 * 1024;

/**
 * Reads the list on standard input (`SHA256 TAB SIZE TAB MODE TAB TARGET`, ended by a line with a dot) and judges each
 * target: `ok`, `mode` (content right, mode or owner not) or `missing`. What was verified once is recognised by size,
 * time and inode from the record `installed`, so that a probe does not read hundreds of megabytes again.
 */
const JUDGE = bash`
set -u
umask 022
installed=${UPLOADS_DIRECTORY}/installed
declare -A known=() facts=()
declare -a shas=() sizes=() modes=() targets=() verdicts=()
while IFS=$'\t' read -r sha size mode target && [ "$sha" != . ]; do
  shas+=("$sha") sizes+=("$size") modes+=("$mode") targets+=("$target")
done
if [ -f "$installed" ]; then
  while IFS=$'\t' read -r target fact; do known[$target]=$fact; done <"$installed"
fi
while IFS=$'\t' read -r size time inode mode target; do facts[$target]="$size $time $inode $mode"; done \
  < <(stat --printf '%s\t%.9Y\t%i\t%04a:%u:%g\t%n\n' -- "\${targets[@]}" 2>/dev/null)

# openssl uses the processor's SHA instructions, which coreutils' sha256sum does not: four times as fast.
sum_of() {
  if [ "$2" -gt 1048576 ] && command -v openssl >/dev/null; then openssl dgst -sha256 -r <"$1"; else sha256sum <"$1"; fi
}

judge() {
  local size time inode mode sum
  verdict=missing
  read -r size time inode mode <<<"\${facts[\${targets[$1]}]:-}"
  [ "$size" = "\${sizes[$1]}" ] || return 0
  if [ "\${known[\${targets[$1]}]:-}" != "\${shas[$1]} $size $time $inode" ]; then
    sum=$(sum_of "\${targets[$1]}" "$size")
    [ "\${sum%% *}" = "\${shas[$1]}" ] || return 0
    known[\${targets[$1]}]="\${shas[$1]} $size $time $inode"
  fi
  verdict=ok
  [ "$mode" = "\${modes[$1]}:0:0" ] || verdict=mode
}
for index in "\${!targets[@]}"; do judge "$index"; verdicts+=("$verdict"); done
`;

/** Prints the index of each file that is not in place. Changes nothing. */
const LIST = bash`
for index in "\${!targets[@]}"; do [ "\${verdicts[$index]}" = ok ] || printf '%s\n' "$index"; done
`;

/**
 * Receives what is missing. Says on stdout `need INDEX OFFSET` for each file, then `go`; takes the bytes in that order
 * from standard input; says `done INDEX` or `bad INDEX`. A part lies beside its target, for a rename is atomic only
 * within one file system; it stays there when the connection breaks, and the next upload goes on behind it.
 */
const RECEIVE = bash`
part_of() { printf '%s/.%s.%.12s.kubewright-part' "$(dirname -- "$2")" "$(basename -- "$2")" "$1"; }

declare -a need=() offsets=() parts=()
declare -A needed=() where=()
for index in "\${!targets[@]}"; do
  target=\${targets[$index]}
  case \${verdicts[$index]} in
    mode) chown 0:0 -- "$target" && chmod -- "\${modes[$index]}" "$target" || exit 1 ;;
    missing)
      directory=$(dirname -- "$target")
      mkdir -p -- "$directory" || exit 1
      part=$(part_of "\${shas[$index]}" "$target")
      offset=$(stat -c %s -- "$part" 2>/dev/null || echo 0)
      [ "$offset" -le "\${sizes[$index]}" ] || { rm -f -- "$part"; offset=0; }
      device=$(stat -c %d -- "$directory")
      needed[$device]=$((\${needed[$device]:-0} + \${sizes[$index]} - offset)) where[$device]=$directory
      need+=("$index") offsets+=("$offset") parts+=("$part")
      ;;
  esac
done
for device in "\${!needed[@]}"; do
  available=$(df -B1 --output=avail -- "\${where[$device]}" | tail -n 1)
  if [ "$available" -lt $((\${needed[$device]} + ${SPARE_BYTES})) ]; then
    echo nospace "\${needed[$device]}" "$available" "\${where[$device]}"
    exit 0
  fi
done
# The record is made anew with the last word on each file, so that it does not grow.
for target in "\${!known[@]}"; do printf '%s\t%s\n' "$target" "\${known[$target]}"; done >"$installed.new"
mv -f -- "$installed.new" "$installed"

finish() {
  local sum target=\${targets[$1]}
  sum=$(sum_of "$2" "\${sizes[$1]}")
  if [ "\${sum%% *}" != "\${shas[$1]}" ]; then rm -f -- "$2"; echo bad "$1"; return; fi
  case $target in
    # Removed after its use; should the power fail before, its size tells, and it is uploaded again.
    /var/lib/kubewright/*) ;;
    *) sync -d "$2" || { echo bad "$1"; return; } ;;
  esac
  chown 0:0 -- "$2" && chmod -- "\${modes[$1]}" "$2" && mv -fT -- "$2" "$target" || { echo bad "$1"; return; }
  printf '%s\t%s %s\n' "$target" "\${shas[$1]}" "$(stat -c '%s %.9Y %i' -- "$target")" >>"$installed"
  echo "done" "$1"
}

for each in "\${!need[@]}"; do echo need "\${need[$each]}" "\${offsets[$each]}"; done
echo go
for each in "\${!need[@]}"; do
  index=\${need[$each]} part=\${parts[$each]} remaining=$((\${sizes[\${need[$each]}]} - \${offsets[$each]}))
  : >>"$part" || exit 1
  [ "$remaining" = 0 ] || dd bs=262144 iflag=fullblock,count_bytes count=$remaining oflag=append conv=notrunc status=none >>"$part" || exit 1
  # The connection broke: what came is kept for the next time.
  [ "$(stat -c %s -- "$part")" = "\${sizes[$index]}" ] || exit 1
  # While one file is verified the next one travels.
  finish "$index" "$part" &
done
wait
echo end
`;

const LOCK = bash`
mkdir -p ${UPLOADS_DIRECTORY} && chmod 700 /var/lib/kubewright ${UPLOADS_DIRECTORY}
exec 8>>${UPLOADS_DIRECTORY}/lock
flock -n 8 || { echo busy; flock 8; }
`;

/** Probe: one round trip for any number of files. */
export function listScript(): string {
  return JUDGE + LIST;
}

/** Upload: the list first, then the bytes that the host asks for. One upload at a time a host. */
export function receiveScript(): string {
  return LOCK + JUDGE + RECEIVE;
}
