import { requireKnown } from '../../../activities/answers.js';
import type { ReadyControlPlane } from '../../../activities/kubeadm/control-plane.js';
import { gatherFacts } from '../../../activities/remote-facts.js';
import type { StepContext } from '../../../activities/types.js';
import { KubewrightError } from '../../../errors.js';
import { quote } from '../../../hosts/shell.js';
import {
  hashOfObjects,
  INVENTORY,
  INVENTORY_NAMESPACE,
  type Inventory,
  inventoryQuestion,
  parseInventory,
} from './inventory.js';
import { keyOf, type ManifestObject, type ObjectName, shownObject, typeOf } from './objects.js';

/** How the cluster stands to the objects that are wanted. */
export interface ObjectsLook {
  inventory: Inventory;
  /** Hash of what is wanted. */
  hash: string;
  /** Wanted and there, by `keyOf`. */
  there: Set<string>;
  missing: ManifestObject[];
  /** Applied by an earlier run, and wanted no more. */
  leftOver: Inventory['objects'];
}

/**
 * Bash: `objects COMMAND…` prints what `kubectl get` prints. A type that the API server does not have has no objects, which
 * kubectl says in words alone.
 */
const OBJECTS = `objects() {
  local said
  said=$("$@" 2>&1) && { printf '%s\\n' "$said"; return; }
  [[ $said != *"doesn't have a resource type"* ]] || return 0
  printf '%s\\n' "$said" >&2
  return 1
}`;

/** Never taken for none: what it lists would never be deleted any more. */
function unreadableInventory(via: ReadyControlPlane): KubewrightError {
  const name = `${INVENTORY} in ${INVENTORY_NAMESPACE}`;
  return new KubewrightError('KW487', `the ConfigMap ${name} does not say what was applied: somebody has changed it`, {
    host: via.host.name,
    hint: `Nothing was changed. Delete it and retry the step: all manifests are applied, and what an earlier run has applied beside them stays.`,
  });
}

/** @throws KubewrightError KW433 (transient) when the API does not tell, KW487 when the inventory says nothing */
export async function lookAtObjects(
  context: StepContext,
  via: ReadyControlPlane,
  objects: ManifestObject[],
): Promise<ObjectsLook> {
  const groups = [...groupsOf(objects)];
  const questions = groups.map(([, [first, ...rest]], index) => {
    const names = [first, ...rest].map((each) => quote(`${typeOf(each)}/${each.name}`));
    const get = `${via.kubectl} -n ${quote(namespaceOf(first))} get ${names.join(' ')} --ignore-not-found -o name`;
    return `ask objects-${index} objects ${get} &${(index + 1) % AT_ONCE === 0 ? '\nwait' : ''}`;
  });
  const script = [OBJECTS, `ask inventory ${inventoryQuestion(via.kubectl)} &`, ...questions, 'wait'].join('\n');
  const facts = await gatherFacts(via.remote, script, context.signal);
  const told = (name: string): string => {
    const answer = requireKnown(facts.answer(name, ''), 'what of the pod network is there', via.host.name);
    return answer.is === 'yes' ? answer.value : '';
  };
  const inventory = parseInventory(told('inventory'));
  if (inventory === undefined) throw unreadableInventory(via);
  const there = new Set(
    groups.flatMap(([, group], index) => {
      const names = new Set(told(`objects-${index}`).split('\n'));
      return group.filter((each) => names.has(`${typeOf(each)}/${each.name}`)).map(keyOf);
    }),
  );
  const wanted = new Set(objects.map(keyOf));
  return {
    inventory,
    hash: hashOfObjects(objects),
    there,
    missing: objects.filter((each) => !there.has(keyOf(each))),
    leftOver: inventory.objects.filter((each) => !wanted.has(keyOf(each))),
  };
}

/** What `apply` would do, one line each; nothing where all is as it should be. */
export function describe({ inventory, hash, missing, leftOver }: ObjectsLook): string[] {
  const first = missing.slice(0, NAMED).map(shownObject);
  const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : '';
  return [
    ...(missing.length > 0 ? [`apply ${first.join(', ')}${more}`] : []),
    ...(missing.length === 0 && inventory.hash !== hash ? ['apply the manifests, which have changed'] : []),
    ...leftOver.map(
      (each) => `${keepsWhenTakenOut(each) ? 'leave, although it was taken out,' : 'delete'} ${shownObject(each)}`,
    ),
  ];
}

const NAMED = 5;

/** With them goes all that is in them, of others too; and what was there before is not ours. */
export function keepsWhenTakenOut({ kind, found }: Inventory['objects'][number]): boolean {
  return found === true || kind === 'Namespace' || kind === 'CustomResourceDefinition';
}

/** So many kubectl at a time, for each takes some 50 MB. */
const AT_ONCE = 4;

/** Where kubectl looks for an object; those of the whole cluster it finds whatever the namespace. */
export function namespaceOf({ namespace }: ObjectName): string {
  return namespace === '' ? 'default' : namespace;
}

/** By type, too: one that is not served yet must not hide what is there of the others. */
function groupsOf(objects: ManifestObject[]): Map<string, [ManifestObject, ...ManifestObject[]]> {
  const groups = new Map<string, [ManifestObject, ...ManifestObject[]]>();
  for (const object of objects) {
    const key = `${typeOf(object)} ${namespaceOf(object)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [object]);
    else group.push(object);
  }
  return groups;
}
