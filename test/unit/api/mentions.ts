import ts from 'typescript';
import { type Declarations, moduleOf, resolved } from './declarations.js';

/** What a public declaration mentions and src/index.ts does not export, as `NAME mentions OTHER`. */
export function notExported({ checker, exported }: Declarations): string[] {
  const known = new Set(exported.values());
  const missing = new Set<string>();
  for (const [name, symbol] of exported) {
    for (const mentioned of (symbol.declarations ?? []).flatMap((each) => mentionedIn(each, checker))) {
      if (isOurs(mentioned) && !known.has(mentioned)) missing.add(`${name} mentions ${mentioned.name}`);
    }
  }
  return [...missing];
}

/** Declared at the top of a module of this project: type parameters, and what packages declare, are not. */
function isOurs(symbol: ts.Symbol): boolean {
  const isTop = (declaration: ts.Declaration) =>
    ts.isSourceFile(declaration.parent) || ts.isVariableDeclaration(declaration);
  return moduleOf(symbol) !== undefined && (symbol.declarations ?? []).some(isTop);
}

/** Every type, class and constant that a declaration names. What is private has no types in a declaration. */
function mentionedIn(declaration: ts.Node, checker: ts.TypeChecker): ts.Symbol[] {
  const found: ts.Symbol[] = [];
  const visit = (node: ts.Node): void => {
    const name = nameIn(node);
    const symbol = name && checker.getSymbolAtLocation(name);
    if (symbol !== undefined) found.push(resolved(checker, symbol));
    ts.forEachChild(node, visit);
  };
  visit(declaration);
  return found;
}

function nameIn(node: ts.Node): ts.Node | undefined {
  if (ts.isTypeReferenceNode(node)) return node.typeName;
  if (ts.isTypeQueryNode(node)) return node.exprName;
  if (ts.isImportTypeNode(node)) return node.qualifier;
  if (ts.isExpressionWithTypeArguments(node)) return node.expression;
  return undefined;
}
