import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize, relative } from 'node:path';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '../..');

/** One import, re-export or `import()` of a file of the project. */
export interface Import {
  /** Paths from the project's root, as in `src/plan/install.ts`. A package or a module of Node keeps its name. */
  from: string;
  to: string;
  /** Gone when it is compiled: it brings nothing but types. */
  isType: boolean;
  /** Loaded when it is called for, not with the file. */
  isLazy: boolean;
}

/** Every import of the TypeScript files below a folder of the project. */
export async function importsBelow(folder: string): Promise<Import[]> {
  const entries = await readdir(join(ROOT, folder), { withFileTypes: true, recursive: true });
  const paths = entries
    .filter((entry) => entry.isFile() && /\.c?ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  return (await Promise.all(paths.map(async (path) => importsOf(path, await readFile(path, 'utf8'))))).flat();
}

function importsOf(path: string, text: string): Import[] {
  const from = relative(ROOT, path);
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, isType: boolean, isLazy: boolean): void => {
    if (specifier && ts.isStringLiteral(specifier))
      found.push({ from, to: resolved(from, specifier.text), isType, isLazy });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, bringsTypes(node.importClause), false);
    if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly, false);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true, false);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false, true);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.ES2022));
  return found;
}

function bringsTypes(clause: ts.ImportClause | undefined): boolean {
  if (clause?.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const names = clause?.namedBindings;
  if (clause?.name || !names || !ts.isNamedImports(names)) return false;
  return names.elements.length > 0 && names.elements.every(({ isTypeOnly }) => isTypeOnly);
}

function resolved(from: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return normalize(join(dirname(from), specifier)).replace(/js$/, 'ts');
}
