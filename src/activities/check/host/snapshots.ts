import { holdsMember } from '../../../components/registry/plan.js';
import { shown } from '../../../hosts/printable.js';
import { quote } from '../../../hosts/shell.js';
import type { SeenSnapshot } from '../../../plan/snapshot-age.js';
import { type Answers, type Concern, couldNotLook, type LookedAt, QUESTION_SECONDS } from './concern.js';

/** Seconds by which a file may be of later than now: the clock of a file server is not that of the host. */
const LATER = 300;

const PATH_LIMIT = 300;

/**
 * Bash: `snapshots FOLDER PATTERN` prints `newest SECONDS NAME`, the age of the newest file by the host's own clock, or `none`, and
 * `later NAME` of one that is of later than now. Links are followed, empty files are none, and of those that are hidden only who asks for
 * them is told.
 */
const FUNCTIONS = `snapshots() {
  local kw_now kw_said kw_hidden=(! -name '.*')
  [[ $2 != .* ]] || kw_hidden=()
  kw_now=$(date +%s)
  kw_said=$(LC_ALL=C timeout ${QUESTION_SECONDS} find -L "$1" -mindepth 1 -maxdepth 1 -type f -size +0 "\${kw_hidden[@]}" -name "$2" -printf '%T@ %f\\n' 2>&1)
  case $?:$kw_said in
    0:*) ;;
    124:*) echo "\\\`find $1\\\` did not end within ${QUESTION_SECONDS} s" >&2; return 1 ;;
    *"$1"*': No such file or directory') [ ! -e "$1" ] || { echo "$kw_said" >&2; return 1; } ;;
    *) printf '%s\\n' "$kw_said" >&2; return 1 ;;
  esac
  awk -v now="$kw_now" '!/^[0-9]+[.]?[0-9]* / {next}
{time = $1; name = substr($0, length($1) + 2)}
time > now + ${LATER} {later = name; next}
name != "" && (best == "" || time > newest) {newest = time; best = name}
END {
  if (best != "") {age = now - newest; printf "newest %d %s\\n", age < 0 ? 0 : age, best} else print "none"
  if (later != "") print "later", later
}' <<<"$kw_said"
}`;

/** The newest snapshot of etcd that lies where `health.snapshots` says. Whether it is new enough is judged of all hosts together. */
export const snapshots: Concern = {
  questions(at) {
    const place = placeOf(at);
    return place === undefined
      ? ''
      : `${FUNCTIONS}\nask snapshots snapshots ${quote(place.folder)} ${quote(place.pattern)} &`;
  },

  judge(at, answers) {
    const told = tell(at, answers);
    return typeof told === 'string' ? [couldNotLook('snapshots of etcd', told)] : [];
  },

  sees(at, answers) {
    const told = tell(at, answers);
    return told === undefined || typeof told === 'string' ? {} : { snapshots: [told] };
  },
};

interface Place {
  folder: string;
  /** Of names, as `find` takes it. */
  pattern: string;
}

/** Undefined where nobody asks for snapshots, or the host holds no member. */
function placeOf({ cluster, host }: LookedAt): Place | undefined {
  const files = cluster.health?.snapshots?.files;
  if (files === undefined || !holdsMember(cluster, host.role)) return undefined;
  const end = files.lastIndexOf('/');
  return { folder: end === 0 ? '/' : files.slice(0, end), pattern: files.slice(end + 1) };
}

/** What the host has, or why that is not known; undefined where it is not asked. */
function tell(at: LookedAt, { facts, answeredAt }: Answers): SeenSnapshot | string | undefined {
  const place = placeOf(at);
  if (place === undefined) return undefined;
  const answer = facts.answer('snapshots', '');
  if (answer.is !== 'yes') return answer.is === 'unknown' ? answer.why : answer.evidence;
  const { name: host } = at.host;
  const [, age, name] = /^newest (\d+) (.+)$/m.exec(answer.value) ?? [];
  const path = (file: string): string => shown(`${place.folder === '/' ? '' : place.folder}/${file}`, PATH_LIMIT);
  if (age !== undefined && name !== undefined) return { host, file: path(name), at: answeredAt - 1_000 * Number(age) };
  const later = /^later (.+)$/m.exec(answer.value)?.[1];
  if (later !== undefined) return `${path(later)} is of later than now, by the host's own clock`;
  return /^none$/m.test(answer.value) ? { host } : '`find` says nothing';
}
