import { setTimeout as pause } from 'node:timers/promises';
import { BEFORE_STATE } from '../../../src/activities/before/places.js';
import { respondentOf } from './answers.js';
import { type Said, said } from './api.js';
import { attend, isDurable, type Speaker } from './durable.js';
import type { FakeHost } from './host.js';
import { answerPreflight, isPreflight } from './host-facts.js';
import type { Input } from './input.js';
import { callApi } from './kubectl.js';
import { release, show, take } from './lease.js';
import { answerAll, isOfQuestions } from './questions.js';
import { answerReach } from './reach.js';
import { assignmentsOf, callsOf, wordsOf } from './shell-words.js';
import type { Timed } from './timing.js';
import { isUpload, listMissing, receive, receives } from './uploads.js';

/** A script that a step runs on a host, with what it reads. */
export interface Script {
  text: string;
  /** Its whole input, or undefined where it talks on while it runs. */
  given: Buffer | undefined;
  /** What comes on standard input, `given` included. */
  input: Input;
}

interface Play {
  /** What the script is, for messages. */
  what: string;
  is(text: string): boolean;
  takes?: Timed;
  /** Plays it. @throws Error for something in it that is not known */
  act(host: FakeHost, text: string, input: string): Said;
}

const holds = (shape: RegExp) => (text: string) => shape.test(text);

/** Every script of the steps that is not one of questions, in the order in which they are looked for. */
const PLAYS: Play[] = [
  { what: 'preflight', is: isPreflight, takes: 'preflight', act: (host, text) => said(answerPreflight(host, text)) },
  { what: 'questions', is: isOfQuestions, act: (host, text) => said(answerAll(text, respondentOf(host))) },
  { what: 'reach: listen', is: holds(/^exec perl - listen /m), takes: 'listen', act: reach },
  { what: 'reach: probe', is: holds(/^exec perl - probe /m), takes: 'probe', act: reach },
  { what: 'reach: collect', is: holds(/^exec perl - collect /m), takes: 'collect', act: reach },
  { what: 'VRRP on the wire', is: holds(/^exec perl - [\d.]+ [\d.]+ <</m), takes: 'vrrp', act: () => said('') },
  { what: 'clock', is: holds(/^date \+%s\.%N\n$/), act: () => said(`${(Date.now() / 1_000).toFixed(6)}\n`) },
  { what: 'architecture', is: holds(/^uname -m\n$/), act: () => said('x86_64\n') },
  { what: 'packages', is: holds(/^cat \/etc\/os-release; echo '--- packages ---'\n/), act: packages },
  { what: 'readFile', is: holds(/^path=.*\n[\s\S]*\nexec cat -- "\$path"\n$/), act: readFile },
  { what: 'writeFile', is: holds(/^path=.*\nsha256=/), act: writeFile },
  { what: 'keepBefore', is: holds(/^before=\/var\/lib\/kubewright\/before\n/m), act: keepBefore },
  { what: 'claimHost', is: holds(/^claim=\$\(mktemp /m), act: claim },
  { what: 'an old file', is: holds(/^rm -f \/etc\/sysctl\.d\/\S+\n$/), act: () => said('') },
  { what: 'loadModules', is: holds(/^load\(\) \{ /m), act: () => said('') },
  { what: 'setSysctls', is: holds(/^put\(\) \{$/m), act: setSysctls },
  {
    what: 'enable the kubelet',
    is: holds(/^systemctl daemon-reload && systemctl enable --quiet kubelet/),
    act: enable,
  },
  { what: 'fence', is: holds(/\/run\/kubewright\/fence/), act: () => said('') },
  { what: 'a test of configurations', is: holds(/^\S*haproxy -c -q -f haproxy\.cfg /m), act: () => said('') },
  { what: 'an account', is: holds(/^systemd-sysusers (\S+) /), act: account },
  { what: 'wake the kubelet', is: holds(/^systemctl enable --quiet kubelet\nsince=/), act: enable },
  {
    what: 'forget the bootstrap',
    is: holds(/\|\| rm -f \/etc\/kubernetes\/bootstrap-kubelet\.conf\n$/),
    act: () => said(''),
  },
  {
    what: 'a token',
    is: holds(/^expiration=\$\(date --utc /),
    act: (host, _, input) => callApi(host, ['create'], input),
  },
  { what: 'certificates', is: holds(/^kubeadm init phase upload-certs /), act: () => said('') },
  { what: 'pods that ask DNS', is: holds(/^clear_pods\(\) \{ /m), takes: 'dnsPods', act: () => said('') },
  { what: 'pods that reach each other', is: holds(/^ask_all\(\) \{$/m), takes: 'reachPods', act: () => said('') },
  { what: 'take the host', is: holds(/^verdict=mine$/m), act: take },
  { what: 'give the host back', is: holds(/^lease_write released && echo released$/m), act: release },
  { what: 'who holds the host', is: holds(/^lease_read && lease_show\nexit 0\n$/m), act: show },
  { what: 'link programs', is: holds(/^link\(\) \{$/m), act: link },
  { what: 'kubectl', is: holds(/^kubectl /), act: kubectl },
];

function reach(host: FakeHost, text: string): Said {
  return said(answerReach(host, text));
}

/** Installed ones by dpkg's abbreviations, of those that are asked for. */
function packages(host: FakeHost, text: string): Said {
  const at = text.indexOf('dpkg-query ');
  const asked = wordsOf(text, at)
    .slice(3)
    .filter((word) => /^[a-z0-9][\w.+-]*$/.test(word) && word !== 'exit');
  const lines = asked.flatMap((name) => {
    const there = host.packages.get(name);
    const version = name === 'containerd' ? '1.6.20~ds1-1+deb12u1' : '1.0';
    return there === undefined ? [] : [`package\t${name}\t${there.held ? 'hi' : 'ii'} \t${version}\n`];
  });
  return said(`${host.files.get('/etc/os-release')}--- packages ---\n${lines.join('')}`);
}

function account(host: FakeHost, text: string): Said {
  const path = /^systemd-sysusers (\S+) /.exec(text)?.[1] ?? '';
  if (!host.files.has(path)) throw new Error(`systemd-sysusers: there is no ${path}`);
  host.accounts.add('haproxy');
  return said('');
}

/** A link is a file that holds where it leads. */
function link(host: FakeHost, text: string): Said {
  for (const [target = '', path = ''] of callsOf(text, 'link')) host.files.set(path, target);
  return said('');
}

function readFile(host: FakeHost, text: string): Said {
  const content = host.files.get(assignmentsOf(text, 'path').path ?? '');
  return content === undefined ? { code: 44, stdout: '', stderr: '' } : said(content);
}

function writeFile(host: FakeHost, text: string, input: string): Said {
  const { path = '' } = assignmentsOf(text, 'path');
  if (host.files.get(path) === input) return said('unchanged\n');
  host.files.set(path, input);
  return said('changed\n');
}

/** What it was before is nobody's question there but whether it was written down. */
function keepBefore(host: FakeHost): Said {
  if (host.files.has(BEFORE_STATE)) return said('kept\n');
  host.files.set(BEFORE_STATE, `user\troot\t\n`);
  return said('taken\n');
}

function claim(host: FakeHost, text: string, input: string): Said {
  const path = /^cat (\/\S+)\n$/m.exec(text)?.[1] ?? '';
  if (!host.files.has(path)) host.files.set(path, input);
  return said(host.files.get(path) ?? '');
}

function setSysctls(host: FakeHost, text: string): Said {
  for (const [, file = '', value = ''] of callsOf(text, 'put')) host.sysctls.set(file, value);
  return said('');
}

function enable(host: FakeHost): Said {
  host.enabled.add('kubelet');
  return said('');
}

/** One call a line; what it goes into, and what follows a failure, is the shell's. */
function kubectl(host: FakeHost, text: string, input: string): Said {
  const results = callsOf(text.replaceAll('\\\n', ' '), 'kubectl').map((words) => {
    const end = words.findIndex((word) => word === '||' || word.startsWith('>'));
    return callApi(host, end < 0 ? words : words.slice(0, end), input);
  });
  return results.find(({ code }) => code !== 0) ?? said(results.map(({ stdout }) => stdout).join(''));
}

/** Exit code of a script that the fakes do not know. */
export const UNKNOWN = 125;

/** Plays a script; returns its exit code. What is not known is said loudly, with the script, and noted. */
export async function play(host: FakeHost, { text, given, input }: Script, speaker: Speaker): Promise<number> {
  try {
    await pause(host.cluster.time('quick'));
    if (isDurable(text)) return await attend(host, text, input, speaker);
    if (isUpload(text)) return await (receives(text) ? receive : listMissing)(host, input, speaker);
    const known = PLAYS.find(({ is }) => is(text));
    if (known === undefined) throw new Error('a script that is not known');
    if (known.takes !== undefined) await pause(host.cluster.time(known.takes));
    const { code, stdout, stderr } = known.act(host, text, given?.toString('utf8') ?? '');
    if (stdout !== '') speaker.out(stdout);
    if (stderr !== '') speaker.err(stderr);
    return code;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    host.cluster.unknown.push(`${host.name}: ${why}\n${text.slice(-1_500)}`);
    speaker.err(`fake host: ${why} (bench/scale/fake-hosts)\n`);
    return UNKNOWN;
  }
}
