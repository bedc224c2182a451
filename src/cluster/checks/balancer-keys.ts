import { loadBalancerOf } from '../../components/registry/plan.js';
import { LOAD_BALANCERS } from '../../components/registry/schema.js';
import type { LoadBalancerSchema } from '../../components/schema-types.js';
import { type Path, valueAt } from '../path.js';
import type { Report } from '../report.js';
import { isMap } from '../resolve/draft.js';
import type { Check } from './index.js';

const ENDPOINT: Path = ['spec', 'endpoint'];
const TYPE: Path = ['spec', 'loadBalancer', 'type'];

type Type = keyof typeof LOAD_BALANCERS;

const CHOICES: [Type, LoadBalancerSchema][] = Object.entries(LOAD_BALANCERS) as [Type, LoadBalancerSchema][];

/** The endpoint has the address that the chosen load balancer goes by, and no key of another one contradicts the choice. */
export const checkBalancerKeys: Check = ({ loadBalancer: { type } }, report) => {
  if (type === undefined) return;
  const chosen: LoadBalancerSchema = LOAD_BALANCERS[type];
  const foreign = foreignKeys(chosen, report);
  const { addressKey } = loadBalancerOf({ loadBalancer: { type } });
  const addressKeys = CHOICES.map(([name]): string => loadBalancerOf({ loadBalancer: { type: name } }).addressKey);
  for (const key of foreign) {
    const instead = addressKeys.includes(key) ? `${addressKey} (${chosen.addressForm})` : 'nothing';
    reportForeign([...ENDPOINT, key], type, ownersOf(key), instead, report);
  }
  // What is in its place is told already.
  const isTold = foreign.some((key) => addressKeys.includes(key));
  if (isTold || !isMap(valueAt(report.document.value, ENDPOINT))) return;
  if (report.written([...ENDPOINT, addressKey])) return;
  report.error([...ENDPOINT, addressKey], 'missing', {
    message: 'is missing',
    expected: chosen.addressForm,
    found: '',
  });
};

/** Keys of the endpoint that are written, and that other load balancers take and this one does not. */
function foreignKeys({ endpointKeys }: LoadBalancerSchema, report: Report): string[] {
  const others = new Set(CHOICES.flatMap(([, choice]) => Object.keys(choice.endpointKeys)));
  return [...others].filter(
    (key) => !(key in endpointKeys) && valueAt(report.document.value, [...ENDPOINT, key]) != null,
  );
}

function ownersOf(key: string): string[] {
  return CHOICES.flatMap(([name, { endpointKeys }]) => (key in endpointKeys ? [name] : []));
}

function reportForeign(path: Path, type: Type, owners: string[], instead: string, report: Report): void {
  const choice = report.written(TYPE) ? `line ${report.line(TYPE)}` : 'the default';
  report.error(path, 'key-of-another-choice', {
    message: `this is a key of another load balancer; spec.loadBalancer.type is ${type} (${choice})`,
    expected: `${instead}, or spec.loadBalancer.type: ${owners.join(' or ')}`,
    at: 'key',
  });
}
