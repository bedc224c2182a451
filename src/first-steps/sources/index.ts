import { parseYaml } from '../../cluster/yaml/document.js';
import { KubewrightError } from '../../errors.js';
import { complete } from '../complete.js';
import type { Draft, Found } from '../draft.js';
import { LeftOut } from '../left-out.js';
import { isMap, type Values } from '../values.js';
import { looksLikeGroups, looksLikeIni, ofInventory, readGroups, readIni } from './ansible/index.js';
import { isK0sctl, ofK0sctl } from './k0sctl.js';
import { isKubeOne, ofKubeOne } from './kubeone.js';

type Reader = (file: Values, leftOut: LeftOut) => Found;

/** Kinds of files by what only they have, the surest first. */
const KINDS: [is: (file: Values) => boolean, read: Reader][] = [
  [isK0sctl, ofK0sctl],
  [isKubeOne, ofKubeOne],
  [looksLikeGroups, (file, leftOut) => ofInventory(readGroups(file), leftOut)],
];

/**
 * Makes a draft of another tool's file, whose kind is told by its content: an Ansible inventory (INI, YAML, or what
 * `ansible-inventory --list` prints), a k0sctl.yaml or a kubeone.yaml.
 *
 * @param file its name, for messages
 * @throws KubewrightError KW111 for text that cannot be read, KW112 for a file of no such kind, KW113 for one without a
 * control plane
 */
export function readSource(text: string, file: string): Draft {
  const leftOut = new LeftOut();
  const found = looksLikeIni(text) ? ofInventory(readIni(text, leftOut), leftOut) : readYaml(text, file, leftOut);
  if (!found.hosts.some(({ role }) => role === 'control-plane')) {
    throw new KubewrightError('KW113', `${file} names no control plane`, {
      hint: 'Groups of an inventory are told by their names: kube_control_plane (or control_plane, masters …), kube_node (or workers …), etcd.',
      output: leftOut.lines().join('\n'),
    });
  }
  return complete(found, leftOut, file);
}

function readYaml(text: string, file: string, leftOut: LeftOut): Found {
  const { document, problems } = parseYaml(text, file);
  const [first] = problems;
  if (document === undefined) {
    const where = first === undefined ? file : `${file}:${first.line}:${first.column}`;
    throw new KubewrightError('KW111', `${where}: ${first?.message ?? 'the file cannot be read'}`, {
      hint: 'It is read as YAML, for it has no [group] of an inventory in it.',
    });
  }
  const { value } = document;
  const kind = isMap(value) ? KINDS.find(([is]) => is(value)) : undefined;
  if (kind === undefined || !isMap(value)) throw unknownKind(value, file);
  return kind[1](value, leftOut);
}

function unknownKind(value: unknown, file: string): KubewrightError {
  const isOurs = isMap(value) && String(value.apiVersion ?? '').startsWith('kubewright.dev/');
  const message = isOurs ? `${file} is a cluster.yaml already` : `${file} is of no kind that is known`;
  const hint = isOurs
    ? 'Check it with `kubewright validate`.'
    : 'Known are inventories of Ansible (INI, YAML, and what `ansible-inventory --list` prints), k0sctl.yaml and kubeone.yaml.';
  return new KubewrightError('KW112', message, { hint });
}
