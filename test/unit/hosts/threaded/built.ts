import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = path.join(import.meta.dirname, '../../../..');
const FOLDER = 'src/hosts/connection/threaded';
const HELPERS = ['mortal.mjs', 'unclosed.mjs'];

/**
 * The programs of the thread, compiled from the sources as they are now: a thread of Node loads no TypeScript, and `dist/src`
 * may be of yesterday. Kept below dist/ until the sources change.
 *
 * @returns the folder that has `program.js` and the helpers of these tests
 */
export async function builtThread(): Promise<URL> {
  const sources = new Map<string, string>();
  await collect(`${FOLDER}/program.ts`, sources);
  await collect(`${FOLDER}/ssh-thread.ts`, sources);
  for (const name of HELPERS)
    sources.set(`${FOLDER}/${name}`, await readFile(path.join(import.meta.dirname, name), 'utf8'));
  const stamp = createHash('sha256')
    .update(JSON.stringify([...sources]))
    .digest('hex')
    .slice(0, 16);
  const parent = path.join(ROOT, 'dist/threads');
  const home = path.join(parent, stamp);
  if (!existsSync(home)) await compile(sources, parent, home);
  return pathToFileURL(`${path.join(home, FOLDER)}/`);
}

/** A file, and what it loads of the project. */
async function collect(file: string, into: Map<string, string>): Promise<void> {
  if (into.has(file)) return;
  const text = await readFile(path.join(ROOT, file), 'utf8');
  into.set(file, text);
  for (const [, specifier = ''] of text.matchAll(/^(?:import|export)\b(?! type\b)[^;]*?from '(\.[^']+)\.js';$/gm))
    await collect(path.join(path.dirname(file), `${specifier}.ts`), into);
}

async function compile(sources: Map<string, string>, parent: string, home: string): Promise<void> {
  const { default: typescript } = await import('typescript');
  const compilerOptions = {
    module: typescript.ModuleKind.ESNext,
    target: typescript.ScriptTarget.ES2022,
    verbatimModuleSyntax: true,
  };
  await mkdir(parent, { recursive: true });
  const older = await readdir(parent);
  const making = await mkdtemp(`${home}-`);
  for (const [file, text] of sources) {
    const target = path.join(making, file.replace(/\.ts$/, '.js'));
    await mkdir(path.dirname(target), { recursive: true });
    const isScript = file.endsWith('.mjs');
    await writeFile(target, isScript ? text : typescript.transpileModule(text, { compilerOptions }).outputText);
  }
  // Another test file may have been quicker.
  await rename(making, home).catch(() => rm(making, { recursive: true }));
  for (const name of older.filter((each) => !each.startsWith(path.basename(home))))
    await rm(path.join(parent, name), { recursive: true, force: true });
}
