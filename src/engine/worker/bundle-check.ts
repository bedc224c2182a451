/**
 * What workflow code may be made of. Everything else runs in the sandbox at best by luck, and costs memory for each
 * run.
 */
const PACKAGES = ['@temporalio/workflow', '@temporalio/common', 'nexus-rpc', 'ms', 'long', 'fastest-levenshtein'];
const OWN_FILES =
  /^(dist\/)?src\/(workflows\/|plan\/(types|run|cut|findings|since|seen-twice|sight|trends|disk-trend|etcd-trend|snapshot-age|told|verdict-news|drill-report|scheduled-drill)\.|cluster\/types|components\/([\w-]+\/)+actions\.|engine\/codec\/failure-converter)/;

/** Without its source map; 570 KiB when this was written, nearly all of it the SDK. */
const LIMIT_BYTES = 900 * 1024;

/**
 * Holds a workflow bundle to its rules.
 *
 * @param code as `bundleWorkflowCode` returns it
 * @returns one sentence for each fault; empty when it is fit to run
 */
export function checkBundle(code: string): string[] {
  const source = code.replace(/\/\/# sourceMappingURL=.*/g, '');
  const modules = modulesOf(source);
  const faults = modules.filter((path) => !isAllowed(path)).map((path) => `${path} does not belong into workflow code`);
  if (!modules.some((path) => path.includes('src/workflows/engine/run'))) faults.push('it does not hold the engine');
  const size = Buffer.byteLength(source);
  if (size > LIMIT_BYTES) faults.push(`it has ${Math.round(size / 1024)} KiB, more than ${LIMIT_BYTES / 1024}`);
  return faults;
}

/**
 * Webpack's name of each module, such as `./node_modules/ms/dist/index.cjs`, `node:fs` or, for one left out, `?31ff`.
 */
function modulesOf(source: string): string[] {
  const names = [...source.matchAll(/^\/\*{3}\/ "([^"]+)":?/gm)].map((match) => match[1] ?? '');
  return names.filter((name) => !name.startsWith('?'));
}

function isAllowed(path: string): boolean {
  const inPackage = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(path);
  if (inPackage !== null) return PACKAGES.includes(inPackage[1] ?? '');
  return OWN_FILES.test(path.replace(/^\.\//, ''));
}
