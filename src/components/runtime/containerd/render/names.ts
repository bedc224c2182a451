type Table = { [key: string]: unknown };

const OLD = 'io.containerd.grpc.v1.cri';
const IMAGES = 'io.containerd.cri.v1.images';
const RUNTIME = 'io.containerd.cri.v1.runtime';

/**
 * Settings of the CRI plugin that moved to the image plugin with the third format, by their path in the second
 * (containerd's docs/cri/config.md, and what `containerd config migrate` makes of it). Those of the streaming server stay
 * where they are; everything else moved to the runtime plugin.
 */
const TO_IMAGES: [old: string[], new_: string[]][] = [
  [['registry'], ['registry']],
  [['image_decryption'], ['image_decryption']],
  [['max_concurrent_downloads'], ['max_concurrent_downloads']],
  [['image_pull_progress_timeout'], ['image_pull_progress_timeout']],
  [['image_pull_with_sync_fs'], ['image_pull_with_sync_fs']],
  [['stats_collect_period'], ['stats_collect_period']],
  [['sandbox_image'], ['pinned_images', 'sandbox']],
  [['containerd', 'snapshotter'], ['snapshotter']],
  [['containerd', 'disable_snapshot_annotations'], ['disable_snapshot_annotations']],
  [['containerd', 'discard_unpacked_layers'], ['discard_unpacked_layers']],
];

const STAYS = [
  'disable_tcp_service',
  'stream_server_address',
  'stream_server_port',
  'stream_idle_timeout',
  'enable_tls_streaming',
  'x509_key_pair_streaming',
];

/**
 * `runtime.config` of cluster.yaml with the CRI plugin's settings where this containerd reads them. One text serves hosts
 * with containerd 1.x and 2.x beside each other: under a name that it does not know, containerd ignores a table without a
 * word, and images would come from the internet instead of the mirror that it names.
 *
 * @param format of the generated file: 2 for containerd 1.x, 3 for 2.x
 */
export function inFormat(format: 2 | 3, overrides: Table): Table {
  const plugins = tableAt(overrides, ['plugins']);
  if (plugins === undefined) return overrides;
  return { ...overrides, plugins: format === 3 ? toThird(plugins) : toSecond(plugins) };
}

function toThird(plugins: Table): Table {
  const cri = tableAt(plugins, [OLD]);
  if (cri === undefined) return plugins;
  const { [OLD]: _, ...result } = structuredClone(plugins);
  const rest = structuredClone(cri);
  for (const [from, to] of TO_IMAGES) move(rest, from, result, [IMAGES, ...to]);
  for (const name of STAYS) move(rest, [name], result, [OLD, name]);
  for (const name of Object.keys(rest)) move(rest, [name], result, [RUNTIME, name]);
  return result;
}

function toSecond(plugins: Table): Table {
  const { [IMAGES]: images, [RUNTIME]: runtime, ...result } = structuredClone(plugins);
  const newer = { images: isTable(images) ? images : {}, runtime: isTable(runtime) ? runtime : {} };
  for (const [to, from] of TO_IMAGES) move(newer.images, from, result, [OLD, ...to]);
  for (const part of [newer.images, newer.runtime]) {
    for (const name of Object.keys(part)) move(part, [name], result, [OLD, name]);
  }
  return result;
}

/** Takes a value from one table and puts it into another, beside what is there; an explicit one that is there wins. */
function move(from: Table, path: string[], to: Table, target: string[]): void {
  const parent = tableAt(from, path.slice(0, -1));
  const key = path.at(-1) ?? '';
  if (parent === undefined || !(key in parent)) return;
  const value = parent[key];
  delete parent[key];
  if (isTable(value) && Object.keys(value).length === 0 && path.length === 1 && key === 'containerd') return;
  let table = to;
  for (const name of target.slice(0, -1)) {
    const inner = table[name];
    const next = isTable(inner) ? inner : {};
    table[name] = next;
    table = next;
  }
  const last = target.at(-1) ?? '';
  const there = table[last];
  table[last] = isTable(there) && isTable(value) ? { ...value, ...there } : (there ?? value);
}

function tableAt(table: Table, path: string[]): Table | undefined {
  let found: unknown = table;
  for (const name of path) found = isTable(found) ? found[name] : undefined;
  return isTable(found) ? found : undefined;
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
