import { type Operation, operationOf } from '../../plan/operations.js';

/** What a run carries out, by its workflow type, for who is told of runs: of an install it reads what it was before there was another. */
export function otherThanInstall(workflowType: string): { operation?: Operation } {
  const operation = operationOf(workflowType);
  return operation === undefined || operation === 'install' ? {} : { operation };
}
