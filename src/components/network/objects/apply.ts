import type { ReadyControlPlane } from '../../../activities/kubeadm/control-plane.js';
import type { StepContext } from '../../../activities/types.js';
import { KubewrightError } from '../../../errors.js';
import { quote } from '../../../hosts/shell.js';
import { type Applied, type Inventory, renderInventory } from './inventory.js';
import { keepsWhenTakenOut, namespaceOf, type ObjectsLook } from './look.js';
import { keyOf, type ManifestObject, shownObject, typeOf } from './objects.js';

const FIELD_MANAGER = 'kubewright';
const APPLY_MS = 120_000;
/** For the API server to serve a new kind. */
const ESTABLISHED_SECONDS = 60;

export interface Applying {
  plugin: string;
  objects: ManifestObject[];
  look: ObjectsLook;
}

/**
 * Applies all objects, then deletes those that are wanted no more. The inventory names every object before it is applied
 * and as long as it may be there: whatever interrupts this, the next run knows what to delete.
 *
 * @throws KubewrightError KW485 when the API refuses an object, KW486 when it does not delete one
 */
export async function applyObjects(context: StepContext, via: ReadyControlPlane, applying: Applying): Promise<void> {
  const { plugin, objects, look } = applying;
  const wanted = inventoried(objects, look);
  const before = { hash: '', objects: [...wanted, ...look.leftOver] };
  const apply = applier(context, via);
  await apply(renderInventory(plugin, before));
  // Nothing can be put into a namespace, or be of a kind, that is not there yet.
  const bases = objects.filter(({ kind }) => kind === 'Namespace' || kind === 'CustomResourceDefinition');
  if (bases.length > 0) await apply(joined(bases));
  await awaitKinds(context, via, bases);
  await apply(joined(objects.filter((each) => !bases.includes(each))));
  for (const each of look.leftOver.filter((one) => !keepsWhenTakenOut(one))) await remove(context, via, each);
  await apply(renderInventory(plugin, { hash: look.hash, objects: wanted }));
}

/** What was there before it was applied for the first time is marked: it is somebody else's. */
function inventoried(objects: ManifestObject[], { inventory, there }: ObjectsLook): Inventory['objects'] {
  const known = new Map(inventory.objects.map((each) => [keyOf(each), each]));
  return objects.map((object): Applied => {
    const { apiVersion, kind, namespace, name } = object;
    const before = known.get(keyOf(object));
    const found = before === undefined ? there.has(keyOf(object)) : before.found === true;
    return { apiVersion, kind, namespace, name, ...(found ? { found: true } : {}) };
  });
}

function joined(objects: ManifestObject[]): string {
  return objects.map(({ text }) => `---\n${text.replace(/\n?$/, '\n')}`).join('');
}

/**
 * With `--force-conflicts`: the file is the source of every field that it names, so one that somebody has changed by hand, or
 * that `kubectl apply` of another tool has set, becomes what the file says. Fields that it does not name stay whose they are.
 */
function applier(context: StepContext, via: ReadyControlPlane): (input: string) => Promise<void> {
  return async (input) => {
    const command = `${via.kubectl} apply --server-side --force-conflicts --field-manager=${FIELD_MANAGER} -f -`;
    const result = await via.remote.run(command, {
      input,
      signal: context.signal,
      allowFailure: true,
      timeoutMs: APPLY_MS,
    });
    if (result.exitCode === 0) return;
    throw new KubewrightError('KW485', 'the API did not accept the manifests of the pod network', {
      host: via.host.name,
      output: result.stderr,
      hint: 'The last lines say which object was refused. Mend the cause, then retry the step; where a manifest is wrong, abort, correct it and install again.',
    });
  };
}

/** A kind is served a moment after its definition is accepted. */
async function awaitKinds(context: StepContext, via: ReadyControlPlane, bases: ManifestObject[]): Promise<void> {
  const kinds = bases.filter(({ kind }) => kind === 'CustomResourceDefinition');
  if (kinds.length === 0) return;
  // `--request-timeout` bounds the watch too.
  const patient = via.kubectl.replace(/--request-timeout=\S+/, '--request-timeout=0');
  const names = kinds.map((each) => quote(`${typeOf(each)}/${each.name}`)).join(' ');
  const command = `${patient} wait --for=condition=Established ${names} --timeout=${ESTABLISHED_SECONDS}s >/dev/null`;
  await via.remote.run(command, { signal: context.signal, timeoutMs: (ESTABLISHED_SECONDS + 30) * 1_000 });
}

/** Only while Kubewright is among those that manage it: what was deleted and made anew by others is theirs. */
async function remove(context: StepContext, via: ReadyControlPlane, object: Applied): Promise<void> {
  const named = `-n ${quote(namespaceOf(object))}`;
  const target = quote(`${typeOf(object)}/${object.name}`);
  context.progress(`deleting ${shownObject(object)}`);
  const script = `managers=$(${via.kubectl} ${named} get ${target} --ignore-not-found --show-managed-fields -o ${quote('jsonpath={.metadata.managedFields[*].manager}')} 2>&1) || {
  # A kind that is gone has taken its objects with it.
  [[ $managers != *"doesn't have a resource type"* ]] || exit 0
  printf '%s\\n' "$managers" >&2; exit 1
}
[[ " $managers " == *' ${FIELD_MANAGER} '* ]] || exit 0
${via.kubectl} ${named} delete ${target} --ignore-not-found --wait=false`;
  const result = await via.remote.run(script, { signal: context.signal, allowFailure: true, timeoutMs: 60_000 });
  if (result.exitCode === 0) return;
  throw new KubewrightError(
    'KW486',
    `the API did not delete ${shownObject(object)}, which was taken out of the manifests`,
    {
      host: via.host.name,
      output: result.stderr,
      hint: 'The last lines say why. Mend the cause, then retry the step.',
    },
  );
}
