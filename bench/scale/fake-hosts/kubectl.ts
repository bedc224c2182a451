import { parseAllDocuments } from 'yaml';
import { type ApiObject, failed, type Said, said, sorted } from './api.js';
import type { FakeHost } from './host.js';

const GLOBAL = /^--(kubeconfig|server|request-timeout)=/;

/**
 * kubectl on a fake control plane.
 *
 * @param words without `kubectl` itself
 * @param input what comes on its standard input
 * @throws Error for what it could do and this cannot
 */
export function callApi(host: FakeHost, words: string[], input: string): Said {
  const { cluster } = host;
  if (!host.has('/etc/kubernetes/admin.conf')) return failed('error: stat /etc/kubernetes/admin.conf: no such file\n');
  const { flags, rest } = takeNamespace(words.filter((word) => !GLOBAL.test(word)));
  const namespace = flags.get('-n') ?? flags.get('--namespace') ?? 'default';
  const [verb = '', ...args] = rest;
  switch (verb) {
    case 'get':
      return args[0] === '--raw' ? getRaw(host, args[1] ?? '') : cluster.api.get(args, namespace);
    case 'apply':
    case 'create':
      if (args[0] === '--raw') return evict(host, args[1] ?? '');
      for (const object of objectsIn(input)) cluster.api.put(object);
      return said('');
    case 'patch':
      if (args.slice(0, 2).join(' ') !== 'deployment coredns') break;
      cluster.dns.patch(input);
      return said('');
    case 'delete': {
      const { flags: own } = sorted(args);
      cluster.api.deleteBy((args[0] ?? '').replace(/s$/, ''), namespace, own.get('--selector') ?? own.get('-l') ?? '');
      return said('');
    }
    case 'label':
    case 'taint':
    case 'annotate':
      return mark(host, verb, args);
  }
  throw new Error(`a call of kubectl that is not known: ${rest.join(' ')}`);
}

/** The namespace may stand before the verb; other flags belong to it. */
function takeNamespace(words: string[]): { flags: Map<string, string>; rest: string[] } {
  const flags = new Map<string, string>();
  const rest: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (word === '-n') flags.set('-n', words[++at] ?? '');
    else if (word.startsWith('--namespace=')) flags.set('--namespace', word.slice('--namespace='.length));
    else rest.push(word);
  }
  return { flags, rest };
}

function getRaw({ cluster }: FakeHost, path: string): Said {
  if (path === '/readyz') return cluster.members.length > 0 ? said('ok') : failed('connection refused\n');
  if (path === '/version')
    return said(JSON.stringify({ gitVersion: `v${cluster.config.kubernetes.version}` }, null, 1));
  throw new Error(`a path of the API that is not known: ${path}`);
}

function evict({ cluster }: FakeHost, path: string): Said {
  const name = /\/pods\/([^/]+)\/eviction$/.exec(path)?.[1];
  if (name === undefined) throw new Error(`a path of the API that is not known: ${path}`);
  cluster.dns.evict(name);
  return said('');
}

function objectsIn(input: string): ApiObject[] {
  if (input.startsWith('{')) return [JSON.parse(input) as ApiObject];
  return parseAllDocuments(input).flatMap((document) =>
    document.contents === null ? [] : (document.toJS() as ApiObject),
  );
}

/** `label node NAME --overwrite KEY=VALUE KEY-`, and so with taints and annotations. */
function mark({ cluster }: FakeHost, verb: 'label' | 'taint' | 'annotate', [, name = '', ...rest]: string[]): Said {
  const node = cluster.nodes.get(name);
  if (node === undefined) return failed(`Error from server (NotFound): nodes "${name}" not found\n`);
  for (const word of rest.filter((each) => !each.startsWith('--'))) {
    const isGone = word.endsWith('-');
    if (verb === 'taint') {
      const [, key = '', value = '', effect = ''] = /^([^=:]+)=?([^:]*):(\w+)-?$/.exec(word) ?? [];
      const others = node.taints.filter((taint) => taint.key !== key || taint.effect !== effect);
      node.taints = isGone ? others : [...others, { key, value, effect: effect as 'NoSchedule' }];
      continue;
    }
    const [key = ''] = word.replace(/-$/, '').split('=');
    const field = verb === 'label' ? 'labels' : 'annotations';
    const { [key]: _, ...others } = node[field];
    node[field] = isGone ? others : { ...others, [key]: word.slice(key.length + 1) };
  }
  return said('');
}
