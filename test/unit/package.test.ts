import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const INDEX = join(ROOT, 'src/index.ts');

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  skipLibCheck: true,
  types: ['node'],
};

/** A script that uses each function, and two mistakes: types that came out as `any` would take them. */
const EVERY = `
import * as k from 'kubewright';

const { cluster, places, warnings }: k.LoadedCluster = await k.loadCluster('cluster.yaml');
console.log(k.parseCluster('', { path: 'cluster.yaml', directory: '.' }).warnings.map(k.formatProblem), warnings.length);
const findings: k.Finding[] = await k.lookAtCluster({ ...cluster, places }, { onFinding: ({ step }) => console.log(step.id) });
const refused: k.Difference[] = findings.flatMap(({ comparison }) => comparison?.differences ?? []);
const { content, host }: k.Kubeconfig = await k.fetchKubeconfig(cluster, { env: process.env });
console.log(refused.map(({ key, verdict }) => key + verdict), content, host, k.clusterJsonSchema().properties, k.VERSION);
console.log(k.planInstall(cluster).map((step: k.Step) => step.title), k.differences(cluster, cluster));

const engine: k.Engine = await k.connect({ address: '127.0.0.1:7233' } satisfies k.ConnectOptions);
const server: k.EmbeddedServer | undefined = engine.server;
try {
  const options: k.EnsureWorkerOptions = { needs: k.needsOf(cluster), replace: true };
  await k.startRun(engine, k.prepareInstall(cluster));
  const worker: k.WorkerProcess = await k.ensureWorker(engine, options);
  for await (const { activities } of k.watchRun(engine, cluster.name)) {
    console.log(Object.values(activities).map((activity: k.StepActivity) => activity.line));
  }
  await k.decide(engine, cluster.name, 'skip', { reason: 'it burns' });
  await k.endRun(engine, cluster.name, undefined);
  console.log((await k.describeRun(engine, cluster.name)).status, worker.pid);
  console.log(await k.listRuns(engine, { latest: true } satisfies k.ListOptions), await k.workerStatus(engine));
  await k.stopWorker(engine);
} catch (error) {
  if (error instanceof k.PlanConflictError) console.log((error.running satisfies k.RunInput).build);
  if (k.isClusterFileError(error)) console.log(error.problems);
  if (k.isKubewrightError(error)) console.log(error.code, error.hint, server?.uiUrl);
}
const state = k.stateDirectory(process.env);
console.log(await k.serverStatus(state), await k.listWorkers(state), await k.stopWorkers(state, () => true));
await k.stopServer(state);
await k.runWorker({ signal: AbortSignal.timeout(1_000) });

const tell = (line: k.PrintedObject): string => (line.type === 'blocked' ? line.cluster + line.hint : line.time);
console.log(new k.KubewrightError('KW999', 'no'), new k.ClusterFileError('x', []), tell(JSON.parse('{}')));

// @ts-expect-error a name is no cluster
await k.lookAtCluster('demo');
// @ts-expect-error there is no such state
engine.client.workflow.noSuchThing();
`;

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-package-'));
});
afterAll(() => rm(directory, { recursive: true }));

const program = ts.createProgram([INDEX], { ...OPTIONS, declaration: true, rootDir: ROOT, outDir: '/dist' });
const checker = program.getTypeChecker();
const index = program.getSourceFile(INDEX);
const symbol = index && checker.getSymbolAtLocation(index);
const exported = (symbol === undefined ? [] : checker.getExportsOfModule(symbol)).map(resolved);

describe('the package', () => {
  it('exports every type that what it exports names', () => {
    expect(exported.length).toBeGreaterThan(60);
    const missing = new Set<string>();
    for (const each of exported) {
      for (const declaration of each.declarations ?? []) {
        visitSignature(declaration, (name) => {
          const target = checker.getSymbolAtLocation(name);
          const named = target && resolved(target);
          if (named !== undefined && isOurs(named) && !exported.includes(named)) {
            missing.add(`${each.name} names ${named.name}`);
          }
        });
      }
    }
    expect([...missing]).toEqual([]);
  });

  it('can be used by scripts outside of the clone, as its declarations say', { timeout: 120_000 }, async () => {
    await installDeclarations();
    const scripts = join(ROOT, 'examples/scripts');
    for (const name of await readdir(scripts)) await cp(join(scripts, name), join(directory, name));
    await writeFile(join(directory, 'every.ts'), EVERY);
    const names = (await readdir(directory)).filter((name) => name.endsWith('.ts'));
    const outside = ts.createProgram(
      names.map((name) => join(directory, name)),
      { ...OPTIONS, typeRoots: [join(ROOT, 'node_modules/@types')] },
    );
    const problems = ts.getPreEmitDiagnostics(outside).map((each) => {
      const text = ts.flattenDiagnosticMessageText(each.messageText, ' ');
      return `${each.file?.fileName.slice(directory.length)}: ${text}`;
    });
    expect(problems).toEqual([]);
  });
});

/** What `npm install` would bring of it, as far as a compiler looks: package.json, declarations, dependencies. */
async function installDeclarations(): Promise<void> {
  const home = join(directory, 'node_modules/kubewright');
  await mkdir(home, { recursive: true });
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  await cp(join(ROOT, 'package.json'), join(home, 'package.json'));
  await symlink(join(ROOT, 'node_modules'), join(home, 'node_modules'));
  const files = new Map<string, string>();
  program.emit(undefined, (path, text) => files.set(join(home, path), text), undefined, true);
  for (const [path, text] of files) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}

function resolved(each: ts.Symbol): ts.Symbol {
  return each.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(each) : each;
}

/** Declared at the top of a module of this project: type parameters, and what packages declare, are not. */
function isOurs(each: ts.Symbol): boolean {
  return (each.declarations ?? []).some((declaration) => {
    const file = declaration.getSourceFile().fileName;
    return file.startsWith(join(ROOT, 'src')) && ts.isSourceFile(declaration.parent);
  });
}

/** Every type that a declaration names where its users see it: not in bodies, and not in what is private. */
function visitSignature(node: ts.Node, found: (name: ts.EntityName) => void): void {
  if (ts.isBlock(node)) return;
  const isHidden = (ts.getCombinedModifierFlags(node as ts.Declaration) & ts.ModifierFlags.Private) !== 0;
  if (ts.isClassElement(node) && isHidden) return;
  if (ts.isTypeReferenceNode(node)) found(node.typeName);
  if (ts.isExpressionWithTypeArguments(node) && ts.isIdentifier(node.expression)) found(node.expression);
  ts.forEachChild(node, (child) => visitSignature(child, found));
}
