interface Requirement {
  key: string;
  operator: string;
  values?: string[];
}

/** `podSelector` of a NetworkPolicy. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: Requirement[];
}

/** Whether a selector takes a pod with these labels; an empty one takes every pod. As Kubernetes' API says of LabelSelector. Pure. */
export function selects({ matchLabels, matchExpressions }: LabelSelector, labels: Record<string, string>): boolean {
  const equal = Object.entries(matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return equal && (matchExpressions ?? []).every((each) => holds(each, labels));
}

function holds({ key, operator, values = [] }: Requirement, labels: Record<string, string>): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      // Of a later API: it may take the pod, and then nothing is known.
      return true;
  }
}
