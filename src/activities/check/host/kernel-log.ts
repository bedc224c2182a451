import { type Concern, couldNotLook, type Fault, QUESTION_SECONDS } from './concern.js';

interface Pattern {
  name: string;
  /** Extended regular expression of awk, without slashes; as node-problem-detector's kernel-monitor.json has them. */
  expression: string;
  code: string;
  what: string;
  hint: string;
}

const DISK_HINT =
  'The disk or the way to it fails, or the file system is damaged: `dmesg` and `smartctl -a` say more. Move the host’s work away (`kubectl drain`) before it gets worse, and look after the disk.';

const PATTERNS: readonly Pattern[] = [
  {
    name: 'oom',
    expression: 'Killed process [0-9]+',
    code: 'KW653',
    what: 'the kernel has ended a process for want of memory',
    hint: 'Where the line says "Memory cgroup", a container has reached its own limit; else the host is short of memory: give pods limits, or the host more.',
  },
  {
    name: 'hung',
    expression: 'blocked for more than [0-9]+ seconds|soft lockup',
    code: 'KW654',
    what: 'the kernel tells of a task that hangs',
    hint: 'It waits for a disk or for network storage that does not answer, or the host has too little of its processors: see the lines around it (`journalctl -k`).',
  },
  {
    name: 'disk',
    expression:
      'EXT4-fs error|EXT4-fs .*[Rr]emounting filesystem read-only|XFS .*(Corruption|I.O error|Internal error|[Ss]hutting down)|[Bb]uffer I.O error|I.O error, dev',
    code: 'KW655',
    what: 'the kernel tells of errors of a disk or file system',
    hint: DISK_HINT,
  },
];

/** Drives that report an error whenever nothing is in them. */
const NO_DISK = 'dev (fd|sr)[0-9]';

const RULES = PATTERNS.map(
  ({ name, expression }) => `/${expression}/ {count["${name}"]++; last["${name}"] = substr($0, 1, 300)}`,
).join('\n');

/** Bash: `kernel_log` prints `NAME COUNT LINE` for each kind of line that the last hour has; all is read, little is sent. */
const FUNCTIONS = `kernel_log() {
  timeout ${QUESTION_SECONDS} journalctl -k --since=-1h --no-pager --output=short-iso 2>&1 | awk '/^No journal files were found/ {exit 3}
/${NO_DISK}/ {next}
${RULES}
END {for (name in count) print name, count[name], last[name]}'
  [ "\${PIPESTATUS[*]}" = '0 0' ] || { echo "\\\`journalctl -k\\\` failed, found no journal or did not end within ${QUESTION_SECONDS} s" >&2; return 1; }
}`;

/** What the kernel has had to complain of during the last hour. */
export const kernelLog: Concern = {
  questions: () => `${FUNCTIONS}\nask kernel-log kernel_log &`,

  judge(_, { facts }) {
    const answer = facts.answer('kernel-log', '');
    if (answer.is !== 'yes')
      return [couldNotLook("the kernel's log", answer.is === 'unknown' ? answer.why : answer.evidence)];
    const lines = answer.value.split('\n').map((line) => /^(\w+) (\d+) (.*)$/.exec(line));
    return lines.flatMap((match) => (match === null ? [] : faultOf(match)));
  },
};

function faultOf([, name, count, line]: RegExpExecArray): Fault[] {
  const pattern = PATTERNS.find((each) => each.name === name);
  if (pattern === undefined) return [];
  const { code, what, hint } = pattern;
  return [{ code, evidence: `${what}: ${times(Number(count))} in the last hour, the last time ${line}`, hint }];
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
