import { bash } from '../shell.js';

const UPLOADS_DIRECTORY = '/var/lib/kubewright/uploads';

/** Kept free beside what is uploaded: logs and records are written meanwhile. */
const SPARE_BYTES = 16 * 1024 * 1024;

/** What is asked for first, and at least, at a time. */
const LEAST_PIECE = 65_536;
const MOST_PIECE = 1_000_000_000;

/** A piece comes in about two seconds. After so many nobody sends any more, or the line is no line. */
const SILENCE_SECONDS = 30;

/**
 * Reads the list on standard input: `SHA256 SIZE MODE PACKED-SHA256 PACKED-SIZE TARGET` with tabs between them (hyphens for
 * the two of what does not travel packed), ended by a line with a dot. Half a list is none. Every read has its limit, here
 * and below: a worker that loses its power closes nothing, and sshd may take two hours to find out.
 */
const READ_LIST = bash`
set -u
umask 022
declare -a shas=() sizes=() modes=() packed_shas=() packed_sizes=() targets=() verdicts=()
while IFS=$'\t' read -r -t ${SILENCE_SECONDS} sha size mode packed_sha packed_size target && [ "$sha" != . ]; do
  shas+=("$sha") sizes+=("$size") modes+=("$mode") targets+=("$target")
  packed_shas+=("$packed_sha") packed_sizes+=("$packed_size")
done
[ "$sha" = . ] || { echo stalled; exit 1; }
`;

/**
 * Judges each target: `ok`, `mode` (content right, mode or owner not) or `missing`; `foreign` are those that are there and
 * were not uploaded by Kubewright. What was verified once is recognised by size, time and inode from the record
 * `installed`, so that a probe does not read hundreds of megabytes again.
 */
const JUDGE = bash`
installed=${UPLOADS_DIRECTORY}/installed
declare -A known=() facts=() foreign=()
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
  local record=\${known[\${targets[$1]}]:-}
  if [ -n "$size" ] && [ "\${record#* }" != "$size $time $inode" ]; then foreign[$1]=yes; fi
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

/** Sets `piece`, how much is asked for next, by the BYTES that came and the MICROSECONDS that they took. */
export const PACE = bash`
piece=${LEAST_PIECE}
# A larger piece where one came in less than a second, a smaller one where it took more than four.
pace() {
  local next=$(($1 * 2000000 / ($2 > 0 ? $2 : 1)))
  if [ "$2" -lt 1000000 ]; then [ $next -le $piece ] || piece=$next
  elif [ "$2" -gt 4000000 ]; then piece=$next; fi
  [ $piece -ge ${LEAST_PIECE} ] || piece=${LEAST_PIECE}
  [ $piece -le ${MOST_PIECE} ] || piece=${MOST_PIECE}
}
`;

/**
 * Receives what is missing. Says on stdout `need INDEX OFFSET` for each file, then asks for its bytes piece by piece:
 * `send INDEX OFFSET BYTES`. A piece is what came in about two seconds of the one before, so that a slow line is never
 * filled further ahead: keepalives and other commands on the same connection get through. Then `done INDEX`, `bad INDEX`
 * (other content than promised) or `failed INDEX WHY`, and `end`. `stalled`: nothing came any more.
 *
 * What travels packed is verified as it came, unpacked into a second file beside its target and verified again. That second
 * file never outlives a failure, and one that an interruption left goes before anything is counted.
 *
 * A part lies beside its target, for a rename is atomic only within one file system; it stays there when the connection
 * breaks, and the next upload goes on behind it. What was there and was not ours keeps a second name: `kept INDEX PATH`.
 */
const RECEIVE = bash`
declare -a need=() offsets=() parts=() sent_shas=() sent_sizes=()
declare -A needed=() where=() devices=()
is_packed() { [ "\${packed_shas[$1]}" != - ]; }
for index in "\${!targets[@]}"; do
  target=\${targets[$index]}
  if is_packed "$index"; then sent_shas+=("\${packed_shas[$index]}") sent_sizes+=("\${packed_sizes[$index]}")
  else sent_shas+=("\${shas[$index]}") sent_sizes+=("\${sizes[$index]}"); fi
  case \${verdicts[$index]} in
    mode) chown 0:0 -- "$target" && chmod -- "\${modes[$index]}" "$target" || exit 1 ;;
    missing)
      # Small files come by the dozen: what bash does itself starts no program for each of them.
      directory=\${target%/*}
      directory=\${directory:-/}
      if [ -z "\${devices[$directory]:-}" ]; then
        mkdir -p -- "$directory" && devices[$directory]=$(stat -c %d -- "$directory") || exit 1
      fi
      device=\${devices[$directory]}
      part=$directory/.\${target##*/}.\${sent_shas[$index]:0:12}.kubewright-part
      [ ! -e "$part.unpacked" ] || rm -f -- "$part.unpacked"
      offset=0
      [ ! -e "$part" ] || offset=$(stat -c %s -- "$part")
      [ "$offset" -le "\${sent_sizes[$index]}" ] || { rm -f -- "$part"; offset=0; }
      room=$((\${sent_sizes[$index]} - offset))
      if is_packed "$index"; then room=$((room + \${sizes[$index]})); fi
      needed[$device]=$((\${needed[$device]:-0} + room)) where[$device]=$directory
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
for target in "\${!known[@]}"; do printf '%s\t%s\n' "$target" "\${known[$target]}"; done >"$installed.new" \
  && mv -f -- "$installed.new" "$installed"

# What a person put there gets a second name, which costs no space.
keep() {
  local target=\${targets[$1]} copy
  [ ! -d "$target" ] || [ -L "$target" ] || { echo failed "$1" 'a directory is in its place'; return 1; }
  # What could not be looked at before counts as a person's.
  if [ -z "\${facts[$target]:-}" ] && { [ -e "$target" ] || [ -L "$target" ]; }; then foreign[$1]=yes; fi
  [ -n "\${foreign[$1]:-}" ] || return 0
  # Archives of images: Kubewright's own, removed after their use.
  [[ $target != /var/lib/kubewright/* ]] || return 0
  copy=$target.kubewright-backup-$(date -u +%Y%m%dT%H%M%S.%3NZ)
  if ln -- "$target" "$copy" || cp -a -- "$target" "$copy"; then echo kept "$1" "$copy"; return 0; fi
  echo failed "$1" "what is there cannot be kept as $copy"
  return 1
}

# INDEX PART FILE: unpacks the part. One that holds other content than promised goes.
unpack() {
  local said sum
  if ! said=$(gzip -dc <"$2" 2>&1 >"$3"); then
    said=\${said//$'\n'/ }
    echo failed "$1" "it cannot be unpacked: \${said# }"
    return 1
  fi
  sum=$(sum_of "$3" "\${sizes[$1]}") || { echo failed "$1" 'it cannot be read back'; return 1; }
  [ "\${sum%% *} $(stat -c %s -- "$3")" != "\${shas[$1]} \${sizes[$1]}" ] || return 0
  rm -f -- "$2"
  echo bad "$1"
  return 1
}

# INDEX FILE: makes what was verified the target.
place() {
  local target=\${targets[$1]}
  case $target in
    # Removed after its use; should the power fail before, its size tells, and it is uploaded again.
    /var/lib/kubewright/*) ;;
    *) sync -d "$2" || { echo failed "$1" 'it cannot be written to the disk'; return 1; } ;;
  esac
  keep "$1" || return
  chown 0:0 -- "$2" && chmod -- "\${modes[$1]}" "$2" && mv -fT -- "$2" "$target" || { echo failed "$1" 'it cannot be renamed'; return 1; }
  printf '%s\t%s %s\n' "$target" "\${shas[$1]}" "$(stat -c '%s %.9Y %i' -- "$target")" >>"$installed"
  echo "done" "$1"
}

# INDEX PART
finish() {
  local sum file=$2
  sum=$(sum_of "$2" "\${sent_sizes[$1]}") || { echo failed "$1" 'it cannot be read back'; return; }
  if [ "\${sum%% *}" != "\${sent_shas[$1]}" ]; then rm -f -- "$2"; echo bad "$1"; return; fi
  if is_packed "$1"; then
    file=$2.unpacked
    unpack "$1" "$2" "$file" || { rm -f -- "$file"; return; }
  fi
  # A packed part has had its use. Where something failed, it is the part that stays for the next time.
  if place "$1" "$file"; then rm -f -- "$2"; else rm -f -- "$2.unpacked"; fi
}

${PACE}
fetch() {
  local offset=$2 size began code
  : >>"$3" || exit 1
  while [ $offset -lt $4 ]; do
    size=$(($4 - offset < piece ? $4 - offset : piece))
    echo send "$1" "$offset" "$size"
    began=\${EPOCHREALTIME/[.,]/}
    timeout ${SILENCE_SECONDS} dd bs=65536 iflag=fullblock,count_bytes count=$size oflag=append conv=notrunc status=none >>"$3"
    code=$?
    [ $code != 124 ] || { echo stalled "$1"; exit 1; }
    [ $code = 0 ] || exit 1
    pace $size $((\${EPOCHREALTIME/[.,]/} - began))
    offset=$((offset + size))
    # The connection broke: what came is kept for the next time.
    [ "$(stat -c %s -- "$3")" = $offset ] || exit 1
  done
}

for each in "\${!need[@]}"; do echo need "\${need[$each]}" "\${offsets[$each]}"; done
for each in "\${!need[@]}"; do
  index=\${need[$each]}
  fetch "$index" "\${offsets[$each]}" "\${parts[$each]}" "\${sent_sizes[$index]}"
  # While one file is verified the next one travels.
  finish "$index" "\${parts[$each]}" &
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
  return READ_LIST + JUDGE + LIST;
}

/** Upload: the list first, then the bytes that the host asks for. One upload at a time a host. */
export function receiveScript(): string {
  return READ_LIST + LOCK + JUDGE + RECEIVE;
}
