import type { Cluster } from '../../../cluster/types.js';
import { etcdOf } from '../../../components/registry/plan.js';
import { FSTAB_PATH } from '../../../render/fstab.js';
import { CNI_BINARY_DIRECTORY } from '../../../render/kubelet-unit.js';
import { BEFORE_FILES } from '../../before/places.js';
import { parentFolders } from '../../before/state-script.js';
import { OWN_FOLDERS, ownLeftovers } from '../../node-leftovers.js';
import { SAYS_NO } from '../../remote-facts.js';
import { namesOf } from './words.js';

/** Where what we write is recorded, with its digest (`src/hosts/files`). */
const WRITTEN = '/var/lib/kubewright/files';
const UPLOADED = '/var/lib/kubewright/uploads/installed';

const KUBELET_FOLDER = '/var/lib/kubelet';

/**
 * Bash that takes files away and brings back what stood in their places.
 *
 * What is mounted below a folder is unmounted before anything in it goes, and nothing is ever taken from another file system than the
 * folder's own: a volume's data is its owner's. Folders that were there before stay; the data of the kubelet and of etcd goes all the
 * same, for they had to be empty for an install.
 */
export function filesScript(cluster: Cluster): string {
  const leftovers = ownLeftovers(cluster);
  const paths = namesOf(leftovers, 'path').filter((path) => !OWN_FOLDERS.includes(path));
  const data = [...new Set([KUBELET_FOLDER, etcdOf(cluster).dataDirectory, ...namesOf(leftovers, 'content')])];
  const folders = namesOf(leftovers, 'folder').filter((folder) => !data.includes(folder));
  return `${UNMOUNT}${TAKE_AWAY}for folder in ${data.join(' ')}; do unmount_below "$folder"; done
# Below a folder that was there before, or may have been, others have mounts of their own.
for folder in ${folders.join(' ')}; do ! known || had path "$folder" || unmount_below "$folder"; done
for path in ${paths.join(' ')}; do take_file "$path"; done
take_written
for folder in ${data.join(' ')}; do take_data "$folder"; done
for folder in ${folders.join(' ')}; do take_folder "$folder"; done
give_back_files
# Made for our files, and empty now.
for folder in ${parentFolders(cluster).join(' ')}; do
  if known && ! had path "$folder" && [ -d "$folder" ]; then rmdir -- "$folder" 2>/dev/null || true; fi
done
`;
}

/**
 * Bash function: `left` prints what of ours is still there, but for what stood there before; no (`SAYS_NO`) where nothing is. For a
 * script of questions, behind `WORDS`.
 */
export function leftFunction(cluster: Cluster): string {
  const leftovers = ownLeftovers(cluster);
  const paths = namesOf(leftovers, 'path').filter((path) => !OWN_FOLDERS.includes(path));
  return `${COPIED}left() {
  local path some=
  for path in ${paths.join(' ')}; do
    { [ -e "$path" ] || [ -L "$path" ]; } || continue
    ! copied "$path" || continue
    { [ -d "$path" ] && { had path "$path" || { ! known && [ "$path" = ${CNI_BINARY_DIRECTORY} ]; }; }; } && continue
    printf '%s\\n' "$path"
    some=yes
  done
  [ -n "$some" ] || return ${SAYS_NO}
}
`;
}

/** Deepest first. A path in mountinfo has its spaces in octal. */
const UNMOUNT = `mounted_below() {
  local path
  awk '{print $5}' /proc/self/mountinfo | while read -r path; do
    printf -v path %b "\${path//\\\\/\\\\0}"
    [[ $path != "$1"/* ]] || printf '%s\\n' "$path"
  done | sort -r
}
# The kernel names mounts by where they are, and not by a link that leads there.
unmount_below() {
  local path left folder
  folder=$(readlink -m -- "$1")
  while IFS= read -r path; do
    umount -- "$path" 2>/dev/null || umount --lazy -- "$path" 2>/dev/null || true
  done < <(mounted_below "$folder")
  left=$(mounted_below "$folder")
  [ -z "$left" ] || { say "cannot unmount what is below $1, so nothing there is taken away:"; printf '%s\\n' "$left"; exit 1; }
}
`;

const COPIED = `copied() { [ -e "${BEFORE_FILES}$1" ] || [ -L "${BEFORE_FILES}$1" ]; }
`;

const TAKE_AWAY = `take_file() {
  if [ -L "$1" ] || [ -f "$1" ]; then rm -f -- "$1"
  elif [ -d "$1" ] && ! had path "$1"; then
    # Plugins of others lie there, too: whether the folder is ours only what was written down can tell.
    known || [ "$1" != ${CNI_BINARY_DIRECTORY} ] || return 0
    if mountpoint -q "$1"; then empty "$1"; else rm -rf --one-file-system -- "$1"; fi
  fi
}
# Whatever of ours the list does not name: files that a person has brought by cluster.yaml. One that was edited since is a person's.
take_written() {
  local record sha path now rest
  for record in ${WRITTEN}/*; do
    read -r sha path <"$record" || continue
    { [ -f "$path" ] && [ "$path" != ${FSTAB_PATH} ] && ! [[ $path == /var/lib/kubewright/* ]]; } || continue
    now=$(sha256sum <"$path")
    if [ "\${now%% *}" = "$sha" ]; then rm -f -- "$path"; else say "kept $path, which was edited"; fi
  done
  [ -f ${UPLOADED} ] || return 0
  while IFS=$'\\t' read -r path rest; do
    [[ $path == /var/lib/kubewright/* ]] || rm -f -- "$path"
  done <${UPLOADED}
}
empty() { find "$1/" -xdev -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf --one-file-system -- {} +; }
take_data() {
  [ -d "$1" ] || return 0
  empty "$1"
  known && ! had path "$1" && ! mountpoint -q "$1" && [ ! -L "$1" ] && rmdir -- "$1" 2>/dev/null || true
}
take_folder() {
  [ -d "$1" ] || return 0
  ! had path "$1" || return 0
  # Whether it was there before is not known: then only what is empty goes.
  known || { find "$1" -xdev -depth -type d -empty -delete; [ ! -d "$1" ] || say "kept $1: whether it was there before is not known"; return 0; }
  if mountpoint -q "$1" || [ -L "$1" ]; then empty "$1"; else rm -rf --one-file-system -- "$1"; fi
}
give_back_files() {
  local path copy
  [ -d ${BEFORE_FILES} ] || return 0
  while IFS= read -r path; do
    [ "$path" != ${FSTAB_PATH} ] || continue
    mkdir -p -- "\${path%/*}"
    cp -a -T --remove-destination -- "${BEFORE_FILES}$path" "$path"
    # What our steps have kept beside it is this very file.
    for copy in "$path".kubewright-backup-*; do ! cmp -s -- "$copy" "$path" || rm -f -- "$copy"; done
  done < <(cd ${BEFORE_FILES} && find . ! -type d -printf '/%P\\n')
}
`;
