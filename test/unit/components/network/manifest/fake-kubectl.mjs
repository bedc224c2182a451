// Stands in for kubectl and the API behind it, as far as objects are applied, listed and deleted. Called with the directory
// that holds the cluster, then kubectl's own arguments.
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [shared, ...args] = process.argv.slice(2);
const folder = join(shared, 'objects');
mkdirSync(folder, { recursive: true });
appendFileSync(join(shared, 'kubectl.log'), `${args.join(' ')}\n`);

const end = (code, error = '') => {
  process.stderr.write(error);
  process.exit(code);
};
if (existsSync(join(shared, 'api-is-gone'))) end(1, 'Unable to connect to the server: connection refused\n');

const CLUSTER_WIDE = new Set(['namespace', 'clusterrole', 'customresourcedefinition', 'ippool']);
const BUILT_IN =
  /^(namespace|serviceaccount|configmap|daemonset\.apps|deployment\.apps|clusterrole\.rbac\.authorization\.k8s\.io|customresourcedefinition\.apiextensions\.k8s\.io)$/;
const fileOf = (type, namespace, name) =>
  join(folder, `${type}_${CLUSTER_WIDE.has(type.split('.')[0]) ? '' : namespace}_${name}`);
const typeOf = ({ apiVersion, kind }) =>
  `${kind.toLowerCase()}${apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : ''}`;
const stored = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined);
const isServed = (type) =>
  BUILT_IN.test(type) ||
  readdirSync(folder)
    .filter((name) => name.startsWith('customresourcedefinition.'))
    .map((name) => stored(join(folder, name)).object.spec)
    .some(({ group, names }) => type === `${names.kind.toLowerCase()}.${group}`);

const namespace = args.includes('-n') ? args[args.indexOf('-n') + 1] : 'default';
const words = args.filter((arg, index) => !arg.startsWith('-') && !['-n', '-o', '-f', '-l'].includes(args[index - 1]));
const [verb, ...targets] = words;
const output = args.includes('-o') ? args[args.indexOf('-o') + 1] : '';

async function apply() {
  // Reading it takes longer than all the rest.
  const { parseAllDocuments } = await import('yaml');
  for (const document of parseAllDocuments(readFileSync(0, 'utf8'))) {
    const object = document.toJS();
    if (object === null) continue;
    const type = typeOf(object);
    if (!isServed(type)) end(1, `error: resource mapping not found: no matches for kind "${object.kind}"\n`);
    if (existsSync(join(shared, `refuses-${object.metadata.name}`))) end(1, `${object.metadata.name} was refused\n`);
    const file = fileOf(type, object.metadata.namespace ?? 'default', object.metadata.name);
    const managers = new Set([...(stored(file)?.managers ?? []), 'kubewright']);
    writeFileSync(file, JSON.stringify({ object, managers: [...managers] }));
    process.stdout.write(`${type}/${object.metadata.name} serverside-applied\n`);
  }
}

function get() {
  const [first, ...rest] = targets;
  const named = first.includes('/') ? targets : rest.map((name) => `${first}/${name}`);
  for (const each of named) {
    const [type, name] = each.split('/');
    if (!isServed(type)) end(1, `error: the server doesn't have a resource type "${type}"\n`);
    const found = stored(fileOf(type, namespace, name));
    if (found === undefined) continue;
    if (output === 'name') process.stdout.write(`${each}\n`);
    else if (output === 'json') process.stdout.write(JSON.stringify(found.object));
    else process.stdout.write(found.managers.join(' '));
  }
}

if (args.includes('--raw')) process.stdout.write('ok');
else if (verb === 'apply') await apply();
else if (verb === 'get') get();
else if (verb === 'delete')
  rmSync(fileOf(targets[0].split('/')[0], namespace, targets[0].split('/')[1]), { force: true });
else if (verb !== 'wait') end(1, `the fake does not know ${verb}\n`);
