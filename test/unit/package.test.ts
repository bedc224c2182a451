import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

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
});

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
