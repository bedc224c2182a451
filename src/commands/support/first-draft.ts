import { createReadStream, existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isIpv4 } from '../../cluster/checks/ip.js';
import { localPath, userName } from '../../cluster/schema/forms.js';
import { decodeText, LARGEST_FILE } from '../../cluster/yaml/text.js';
import { KubewrightError } from '../../errors.js';
import { complete } from '../../first-steps/complete.js';
import type { Draft, DraftBastion, FoundHost } from '../../first-steps/draft.js';
import { bastionGiven, hostsGiven } from '../../first-steps/hosts-given.js';
import { LeftOut } from '../../first-steps/left-out.js';
import { validClusterName } from '../../first-steps/names.js';
import { readSource } from '../../first-steps/sources/index.js';
import type { InitOptions } from '../init.js';
import type { CommandContext } from './action.js';
import { nameOf, STDIN, sayWaiting } from './file-argument.js';
import { canAsk, openQuestions, type Questions } from './questions.js';

type Context = CommandContext<InitOptions>;

/**
 * The draft before anybody has looked at a host: out of a file, the options, or what a person answers.
 *
 * @throws KubewrightError KW110 with everything that is missing or wrong on the command line; KW111 to KW113 for the file
 */
export async function firstDraft(context: Context): Promise<Draft> {
  const { options } = context;
  const wrong: string[] = [];
  const given = (texts: string[] | undefined, role: FoundHost['role']) =>
    hostsGiven(texts ?? [], role, (sentence) => wrong.push(sentence));
  const hosts = [
    ...given(options.controlPlanes, 'control-plane'),
    ...given(options.workers, 'worker'),
    ...given(options.etcd, 'etcd'),
  ];
  wrong.push(...wrongValues(options));
  const bastion = options.bastion === undefined ? undefined : bastionGiven(options.bastion, (one) => wrong.push(one));
  if (options.vip !== undefined && !isIpv4(options.vip)) wrong.push(`--vip ${options.vip} is no IPv4 address`);
  if (options.name !== undefined && validClusterName(options.name) !== options.name) {
    wrong.push(`--name ${options.name} is no name of a cluster: lower-case letters, digits and "-", at most 50`);
  }
  const asks = options.from === undefined && options.controlPlanes === undefined;
  if (asks && !canAsk(context))
    wrong.push('no control planes are given: --control-planes 10.0.0.11,10.0.0.12,10.0.0.13, or --from FILE');
  if (wrong.length > 0) {
    throw new KubewrightError('KW110', wrong.join('\n'), { hint: '`kubewright init --help` has an example.' });
  }
  if (options.from !== undefined) return withOptions(await draftFrom(context, options.from), options, bastion);
  const asked = asks ? await askForHosts(context, options) : { hosts: [], name: options.name };
  const found = { name: asked.name, hosts: [...asked.hosts, ...hosts], settings: { vip: options.vip } };
  return withOptions(complete(found, new LeftOut()), options, bastion);
}

/** What would be taken for something else than it was meant: lists of hosts that a variable left empty, and values no key takes. */
function wrongValues({ controlPlanes, workers, etcd, user, keyFile }: InitOptions): string[] {
  const lists = Object.entries({ '--control-planes': controlPlanes, '--workers': workers, '--etcd': etcd });
  const empty = lists.filter(([, texts]) => texts?.some((text) => /^[\s,]*$/.test(text)));
  return [
    ...empty.map(([flag]) => `${flag} names no host`),
    ...(user === undefined || userName().safeParse(user).success ? [] : [`--user "${user}" is no name of a user`]),
    ...(keyFile === undefined || localPath('~/.ssh/id_ed25519').safeParse(keyFile).success
      ? []
      : [`--key-file "${keyFile}" is no path of a file`]),
  ];
}

/** What is given for all hosts wins over what a file says. */
function withOptions(draft: Draft, options: InitOptions, bastion: DraftBastion | undefined): Draft {
  const { user, port, name, vip } = options;
  // In the file a relative path would start at the file; on the command line it starts here.
  const keyFile = options.keyFile?.startsWith('~/') === false ? resolve(options.keyFile) : options.keyFile;
  const given = Object.fromEntries(
    Object.entries({ user, port, keyFile, bastion }).filter(([, value]) => value !== undefined),
  );
  return {
    ...draft,
    name: name ?? draft.name,
    settings: { ...draft.settings, ...(vip !== undefined && { vip, external: undefined }) },
    hosts: draft.hosts.map((host) => ({ ...host, ssh: { ...host.ssh, ...given } })),
  };
}

async function draftFrom(context: Context, from: string): Promise<Draft> {
  const { shell } = context;
  const name = nameOf(from);
  if (from === STDIN) sayWaiting(context);
  const draft = readSource(await textOf(from === STDIN ? shell.stdin : createReadStream(from), name), name);
  const beside = ['group_vars', 'host_vars'].filter((each) => from !== STDIN && existsSync(join(dirname(from), each)));
  const why =
    'only the file itself is read; `ansible-inventory -i FILE --list` with all of it goes to `kubewright init --from -`';
  return { ...draft, leftOut: [...draft.leftOut, ...beside.map((each) => `${each}/ beside it: ${why}`)] };
}

/** @throws KubewrightError KW111 */
async function textOf(stream: NodeJS.ReadableStream, name: string): Promise<string> {
  const unreadable = (why: string) => new KubewrightError('KW111', `${name} cannot be read: ${why}`);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream) {
      chunks.push(Buffer.from(chunk));
      if (chunks.reduce((sum, { length }) => sum + length, 0) > LARGEST_FILE) break;
    }
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : String(error));
  }
  const decoded = decodeText(Buffer.concat(chunks), name);
  if ('problem' in decoded) throw unreadable(decoded.problem.message);
  return decoded.text;
}

async function askForHosts(context: Context, options: InitOptions): Promise<{ hosts: FoundHost[]; name: string }> {
  const questions = openQuestions(context.shell);
  try {
    const say = (line: string): void => context.output.note(line);
    say(
      'Hosts are [NAME=][USER@]ADDRESS[:PORT], such as 10.0.0.11 or cp-1=ubuntu@10.0.0.11, with commas between them.',
    );
    const controlPlanes = await askForRole(questions, 'Control planes (one, three or five)', 'control-plane', say);
    const workers = options.workers ? [] : await askForRole(questions, 'Workers (none: leave it empty)', 'worker', say);
    const name =
      options.name ?? (await questions.ask('Name of the cluster [demo]', (answer) => nameIn(answer || 'demo', say)));
    return { hosts: [...controlPlanes, ...workers], name };
  } finally {
    questions.close();
  }
}

function askForRole(questions: Questions, question: string, role: FoundHost['role'], say: (line: string) => void) {
  return questions.ask(question, (answer) => {
    let isWrong = role === 'control-plane' && answer === '';
    if (isWrong) say('There is no cluster without one.');
    const hosts = hostsGiven([answer], role, (sentence) => {
      isWrong = true;
      say(sentence);
    });
    return isWrong ? undefined : hosts;
  });
}

function nameIn(answer: string, say: (line: string) => void): string | undefined {
  if (validClusterName(answer) === answer) return answer;
  say('Lower-case letters, digits and "-", at most 50.');
  return undefined;
}

/** Where somebody is there to be asked, the VIP is that person's decision; what was found is the default. */
export async function askForVip(context: Context, draft: Draft): Promise<Draft> {
  const { vip, vipRemark, external } = draft.settings;
  const isOpen = external === undefined && context.options.vip === undefined;
  // Standard input has been read to its end where the source came from it.
  if (!isOpen || context.options.from === STDIN || !canAsk(context)) return draft;
  const questions = openQuestions(context.shell);
  try {
    if (vipRemark !== undefined) context.output.note(vip === undefined ? vipRemark : `${vip}: ${vipRemark}`);
    const hint = vip === undefined ? 'empty: later' : vip;
    const answer = await questions.ask(`Virtual IP, a free address of the control planes' subnet [${hint}]`, (text) => {
      if (text === '' || isIpv4(text)) return text;
      context.output.note('An IPv4 address such as 10.0.0.100.');
      return undefined;
    });
    if (answer === '' || answer === vip) return draft;
    return { ...draft, settings: { ...draft.settings, vip: answer, vipRemark: undefined } };
  } finally {
    questions.close();
  }
}
