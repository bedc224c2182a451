import type { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../workflows/search-attributes.js';

/** temporal.api.enums.v1.IndexedValueType of the types that are used. */
const VALUE_TYPES = { Keyword: 2, KeywordList: 7 } as const;

export interface Registration {
  /** Whether workflows may write the attributes. */
  usable: boolean;
  /** What the user should know when they may not. */
  notice?: string;
}

/**
 * Registers the search attributes that a namespace does not know yet. Many servers allow that only to their operators:
 * then installs go on without, and only the list of blocked installs is poorer.
 */
export async function registerSearchAttributes(connection: Connection, namespace: string): Promise<Registration> {
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    const missing = Object.entries(SEARCH_ATTRIBUTES).filter(([name]) => !(name in (customAttributes ?? {})));
    if (missing.length === 0) return { usable: true };
    const searchAttributes = Object.fromEntries(missing.map(([name, type]) => [name, VALUE_TYPES[type]]));
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
    return { usable: true };
  } catch {
    return { usable: false, notice: notRegistered(namespace) };
  }
}

function notRegistered(namespace: string): string {
  const flags = Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => `--name ${name} --type ${type}`);
  return (
    `Namespace ${namespace} does not know Kubewright's search attributes and we may not register them; ` +
    `an operator can: temporal operator search-attribute create --namespace ${namespace} ${flags.join(' ')}`
  );
}
