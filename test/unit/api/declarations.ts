import { join } from 'node:path';
import ts from 'typescript';

export const ROOT = join(import.meta.dirname, '../../..');

/** Where the declarations seem to lie; nothing is written. */
const OUT = join(ROOT, 'declarations');

/** The package as a compiler sees it from outside: what tsc writes into dist/ for src/index.ts, inferred types spelled out. */
export interface Declarations {
  checker: ts.TypeChecker;
  /** What src/index.ts exports, by the name under which it does. */
  exported: Map<string, ts.Symbol>;
}

export function readDeclarations(): Declarations {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  const files = new Map<string, string>();
  const source = ts.createProgram([join(ROOT, 'src/index.ts')], { ...options, outDir: OUT, sourceMap: false });
  source.emit(undefined, (path, text) => files.set(path, text), undefined, true);
  const program = ts.createProgram([join(OUT, 'src/index.d.ts')], { ...options, noEmit: true }, hostOf(files, options));
  const checker = program.getTypeChecker();
  const index = program.getSourceFile(join(OUT, 'src/index.d.ts'));
  const module = index && checker.getSymbolAtLocation(index);
  if (module === undefined) throw new Error('src/index.ts has no declarations');
  const exported = checker
    .getExportsOfModule(module)
    .map((symbol) => [symbol.name, resolved(checker, symbol)] as const);
  return { checker, exported: new Map(exported) };
}

/** The real files, and those of `files`, which are in memory. */
function hostOf(files: Map<string, string>, options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const folders = new Set([...files.keys()].flatMap(foldersOf));
  return {
    ...host,
    fileExists: (path) => files.has(path) || host.fileExists(path),
    directoryExists: (path) => folders.has(path) || (host.directoryExists?.(path) ?? false),
    readFile: (path) => files.get(path) ?? host.readFile(path),
    getSourceFile: (path, how) => {
      const text = files.get(path);
      return text === undefined ? host.getSourceFile(path, how) : ts.createSourceFile(path, text, how, true);
    },
  };
}

function foldersOf(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, index).join('/'));
}

export function resolved(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** The module of this project that declares it, such as `src/errors.ts`; undefined for what packages declare. */
export function moduleOf(symbol: ts.Symbol): string | undefined {
  const file = symbol.declarations?.[0]?.getSourceFile().fileName;
  return file?.startsWith(`${OUT}/`) ? file.slice(OUT.length + 1).replace(/\.d\.ts$/, '.ts') : undefined;
}
