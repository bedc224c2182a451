import type { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../workflows/engine/search-attributes.js';
import type { ConnectionSettings } from './types.js';

/** temporal.api.enums.v1.IndexedValueType of the types that are used. */
const VALUE_TYPES = { Keyword: 2, Int: 3, KeywordList: 7 } as const;

export interface Registration {
  /** Whether workflows may write the attributes. */
  usable: boolean;
  /** What the user should know when they may not. */
  notice?: string;
}

/** The two services that are asked. */
type Asking = Pick<Connection, 'operatorService' | 'workflowService'>;

type Name = keyof typeof SEARCH_ATTRIBUTES;

const HEALTH: Name = 'KubewrightHealth';

/**
 * Registers the search attributes that a namespace does not know yet. Many servers allow that only to their operators, and
 * Temporal Cloud offers the service to nobody: then it is asked whether somebody has registered them. Where nobody has, or
 * one has another type, installs go on without, and only the list of blocked installs is poorer. (An upsert of an attribute
 * that is unknown or of another type would fail the run's every task.)
 */
export async function registerSearchAttributes(
  connection: Asking,
  settings: Pick<ConnectionSettings, 'address' | 'namespace'>,
): Promise<Registration> {
  const { namespace } = settings;
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    const known = customAttributes ?? {};
    const wrong = ofRuns().filter((name) => name in known && known[name] !== VALUE_TYPES[SEARCH_ATTRIBUTES[name]]);
    if (wrong.length > 0) return { usable: false, notice: wrongType(namespace, wrong) };
    const missing = names().filter((name) => !(name in known));
    if (missing.length === 0) return { usable: true };
    const searchAttributes = Object.fromEntries(missing.map((name) => [name, VALUE_TYPES[SEARCH_ATTRIBUTES[name]]]));
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
    return { usable: true };
  } catch {
    const usable = await areKnown(connection, namespace, ofRuns());
    return usable ? { usable } : { usable, notice: notRegistered(settings) };
  }
}

function names(): Name[] {
  return Object.keys(SEARCH_ATTRIBUTES) as Name[];
}

/** What runs write without another look. Whether a check may write its own attribute its worker asks each time (`knowsHealth`). */
function ofRuns(): Name[] {
  return names().filter((name) => name !== HEALTH);
}

/** Whether checks may write `KubewrightHealth`: a schedule that an earlier version has made may be in a namespace without it. */
export async function knowsHealth(asking: Partial<Asking>, namespace: string): Promise<boolean> {
  const { operatorService, workflowService } = asking;
  try {
    const listed = await operatorService?.listSearchAttributes({ namespace });
    if (listed) return listed.customAttributes?.[HEALTH] === VALUE_TYPES[SEARCH_ATTRIBUTES[HEALTH]];
  } catch {
    // Operators alone are told: a query tells, too.
  }
  return workflowService !== undefined && (await areKnown({ workflowService }, namespace, [HEALTH]));
}

/**
 * A query that names an attribute is refused as invalid where the namespace does not know it. Only an answer is believed:
 * a run that writes attributes which are not there never goes on.
 */
async function areKnown(
  { workflowService }: Pick<Asking, 'workflowService'>,
  namespace: string,
  asked: Name[],
): Promise<boolean> {
  const query = asked.map((name) => `${name} = 'x'`).join(' OR ');
  try {
    await workflowService.countWorkflowExecutions({ namespace, query });
    return true;
  } catch {
    return false;
  }
}

/** Addresses of Temporal Cloud: of a namespace, and of a region. */
const CLOUD = /\.(tmprl\.cloud|api\.temporal\.io)(:\d+)?$/;

function notRegistered({ address, namespace }: Pick<ConnectionSettings, 'address' | 'namespace'>): string {
  const command = CLOUD.test(address)
    ? `tcld namespace search-attributes add --namespace ${namespace} ${flags((name, type) => `--search-attribute ${name}=${type}`)}`
    : `temporal operator search-attribute create --namespace ${namespace} ${flags((name, type) => `--name ${name} --type ${type}`)}`;
  return `Namespace ${namespace} does not know Kubewright's search attributes and we may not register them; an operator can: ${command}`;
}

function flags(flag: (name: Name, type: string) => string): string {
  return names()
    .map((name) => flag(name, SEARCH_ATTRIBUTES[name]))
    .join(' ');
}

function wrongType(namespace: string, wrong: Name[]): string {
  const wanted = wrong.map((name) => `${name} (${SEARCH_ATTRIBUTES[name]})`).join(', ');
  return (
    `In namespace ${namespace} these search attributes have another type than Kubewright's: ${wanted}. ` +
    'Installs go on without search attributes; an operator can remove them and let Kubewright register its own.'
  );
}
