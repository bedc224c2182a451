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

const BY_GROUPS =
  'Groups of an inventory are told by their names: kube_control_plane (or control_plane, masters …), kube_node (or workers …), etcd.';
const FROM_TERRAFORM =
  'Where Terraform has the hosts, `kubeone config dump -m kubeone.yaml -t tf.json` prints the whole file, for `kubewright init --from -`.';

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
      hint: /^apiVersion: *["']?kubeone\./m.test(text) ? FROM_TERRAFORM : BY_GROUPS,
      output: leftOut.lines().join('\n'),
    });
  }
  return complete(found, leftOut, file);
}

function readYaml(text: string, file: string, leftOut: LeftOut): Found {
  const { document, problems } = parseYaml(withoutTags(text), file);
  // Of a key that stands twice nobody can say which one is meant.
  const wrong = document === undefined ? problems[0] : problems.find(({ code }) => code === 'duplicate-key');
  if (document === undefined || wrong !== undefined) {
    const where = wrong === undefined ? file : `${file}:${wrong.line}:${wrong.column}`;
    throw new KubewrightError('KW111', `${where}: ${wrong?.message ?? 'the file cannot be read'}`, {
      hint: 'It is read as YAML, for no line of it begins with the [group] of an inventory.',
    });
  }
  for (const { line, code, message } of problems) {
    const why =
      code === 'several-documents' ? 'a second document starts there, and only the first one is read' : message;
    leftOut.add(code === 'several-documents' ? `everything from line ${line} on` : `a part of line ${line}`, why);
  }
  const { value } = document;
  const kind = isMap(value) ? KINDS.find(([is]) => is(value)) : undefined;
  if (kind === undefined || !isMap(value)) throw unknownKind(value, file);
  return kind[1](value, leftOut);
}

/** Ansible's own tags; the values are read as they stand, and everything stays at its place. */
function withoutTags(text: string): string {
  return text.replace(
    /^(.*?[:-] +|\s*)(!(?:vault|vault-encrypted|unsafe))(?=\s)/gm,
    (_, before: string, tag: string) => before + ' '.repeat(tag.length),
  );
}

function unknownKind(value: unknown, file: string): KubewrightError {
  const isOurs = isMap(value) && String(value.apiVersion ?? '').startsWith('kubewright.dev/');
  const message = isOurs ? `${file} is a cluster.yaml already` : `${file} is of no kind that is known`;
  const hint = isOurs
    ? 'Check it with `kubewright validate`.'
    : 'Known are inventories of Ansible (INI, YAML, and what `ansible-inventory --list` prints), k0sctl.yaml and kubeone.yaml.';
  return new KubewrightError('KW112', message, { hint });
}
