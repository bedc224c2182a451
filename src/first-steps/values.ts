/** Reads values of a file whose shape is not known: what is not of the shape asked for is as if it were not there. */
export type Values = Record<string, unknown>;

export function mapOf(value: unknown): Values {
  return isMap(value) ? value : {};
}

export function isMap(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text, or a number as text; undefined for anything else and for an empty one. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** Whether the file says something there: null and empty texts say nothing, and neither does what holds nothing else. */
export function says(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  if (Array.isArray(value)) return value.some(says);
  return !isMap(value) || Object.values(value).some(says);
}

/** A value as a message shows it, short. */
export function showValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** Why settings are not carried over for which `cluster.yaml` has keys of its own, by words in their names. */
const CHOICES: [pattern: RegExp, isDefault: string, why: string][] = [
  [
    /network_plugin|network\.provider|\.cni$/,
    'flannel',
    'the pod network is chosen anew ("network.plugin", flannel by default)',
  ],
  [
    /container_manager|containerRuntime/,
    'containerd',
    'the runtime is chosen anew ("runtime.type", containerd by default)',
  ],
  [/proxy_mode|kubeProxy/, 'iptables', 'the mode is chosen anew ("kubernetes.kubeProxy.mode")'],
];

/** Why a setting that nothing is known of is left out; undefined where it says what is so by default. */
export function whyLeftOut(name: string, value: unknown): string | undefined {
  const choice = CHOICES.find(([pattern]) => pattern.test(name));
  if (choice === undefined) return 'no key of cluster.yaml is known for it';
  return value === choice[1] ? undefined : choice[2];
}

/** Why a value cannot be carried over that its key would take in another form. */
export function whyNotTaken(value: unknown): string {
  if (isTemplate(value)) return 'it is a template, and only what made it knows its value';
  const text = textOf(value) ?? '';
  if (text.includes(':') && /^[0-9a-f:.[\]%]+$/i.test(text)) return 'IPv6 is not supported yet';
  return 'cluster.yaml does not take such a value';
}

/** Whether a text is to be filled in by Ansible. */
export function isTemplate(value: unknown): boolean {
  return typeof value === 'string' && value.includes('{{');
}
