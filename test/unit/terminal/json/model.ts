import { join } from 'node:path';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '../../../..');
const ENTRY = join(ROOT, 'src/terminal/json/index.ts');

export type Model =
  | { kind: 'primitive'; name: 'string' | 'number' | 'boolean' | 'null' }
  | { kind: 'constant'; value: string | number | boolean }
  | { kind: 'list'; of: Model }
  | { kind: 'map'; of: Model }
  | { kind: 'union'; of: Model[] }
  /** A named interface: see `Described.shapes`. */
  | { kind: 'shape'; name: string }
  | { kind: 'fields'; fields: Field[] };

export interface Field {
  name: string;
  isOptional: boolean;
  /** From its docstring, on one line. */
  meaning: string;
  model: Model;
}

/** One object of the stream, told by its `type`. */
export interface Printed {
  type: string;
  meaning: string;
  /** Names of commands, or `every command`. */
  printedBy: string[];
  /** Without `type` and those that all objects have. */
  fields: Field[];
}

export interface Described {
  common: Field[];
  objects: Printed[];
  /** Named interfaces that the objects hold, in the order in which they are met. */
  shapes: Map<string, { meaning: string; fields: Field[] }>;
}

/** Reads the types of the `--json` stream from the source, as the compiler understands them. */
export function describeJson(): Described {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  const program = ts.createProgram([ENTRY], { ...options, noEmit: true });
  return new Reader(program.getTypeChecker(), program.getSourceFile(ENTRY)).read();
}

class Reader {
  private readonly shapes: Described['shapes'] = new Map();

  constructor(
    private readonly checker: ts.TypeChecker,
    private readonly source: ts.SourceFile | undefined,
  ) {}

  read(): Described {
    const common = this.fieldsOf(this.exported('CommonFields'));
    const union = this.exported('JsonObject');
    if (!union.isUnion()) throw new Error('JsonObject is no union');
    return { common, objects: union.types.map((type) => this.printed(type)), shapes: this.shapes };
  }

  private exported(name: string): ts.Type {
    const module = this.source && this.checker.getSymbolAtLocation(this.source);
    const symbol = module && this.checker.getExportsOfModule(module).find((each) => each.name === name);
    if (symbol === undefined) throw new Error(`src/terminal/json/index.ts exports no ${name}`);
    const target = symbol.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol;
    return this.checker.getDeclaredTypeOfSymbol(target);
  }

  private printed(type: ts.Type): Printed {
    const tag = type.getProperty('type');
    const owner = tag?.declarations?.[0]?.parent;
    if (tag === undefined || owner === undefined || !ts.isInterfaceDeclaration(owner)) {
      throw new Error(`${this.checker.typeToString(type)} has no "type" in an interface of its own`);
    }
    const literal = this.checker.getTypeOfSymbol(tag);
    const symbol = this.checker.getSymbolAtLocation(owner.name);
    const printedBy = symbol?.getJsDocTags().find(({ name }) => name === 'printedBy');
    return {
      type: literal.isStringLiteral() ? literal.value : '',
      meaning: this.meaningOf(symbol),
      printedBy: ts.displayPartsToString(printedBy?.text).split(/,\s*/).filter(Boolean),
      fields: this.fieldsOf(type).filter(({ name }) => name !== 'type'),
    };
  }

  private fieldsOf(type: ts.Type): Field[] {
    return type.getProperties().map((symbol) => {
      const isOptional = (symbol.flags & ts.SymbolFlags.Optional) !== 0;
      const own = this.checker.getTypeOfSymbol(symbol);
      const model = this.modelOf(isOptional ? this.checker.getNonNullableType(own) : own, isOptional ? own : undefined);
      return { name: symbol.name, isOptional, meaning: this.meaningOf(symbol), model };
    });
  }

  private meaningOf(symbol: ts.Symbol | undefined): string {
    return ts.displayPartsToString(symbol?.getDocumentationComment(this.checker)).replace(/\s+/g, ' ').trim();
  }

  /** @param whole with what `type` has lost together with its `undefined`: a null that is meant */
  private modelOf(type: ts.Type, whole: ts.Type = type): Model {
    if (whole.isUnion()) {
      const parts = whole.types.filter((each) => !(each.flags & ts.TypeFlags.Undefined));
      const isBoolean = parts.filter((each) => each.flags & ts.TypeFlags.BooleanLiteral).length === 2;
      const models = parts
        .filter((each) => !(isBoolean && each.flags & ts.TypeFlags.BooleanLiteral))
        .map((each) => this.modelOf(each));
      if (isBoolean) models.unshift({ kind: 'primitive', name: 'boolean' });
      // The compiler keeps unions in an order of its own, which another edit may change.
      models.sort((a, b) => rank(a).localeCompare(rank(b)));
      const [only] = models;
      return only !== undefined && models.length === 1 ? only : { kind: 'union', of: models };
    }
    return this.plainModel(type);
  }

  private plainModel(type: ts.Type): Model {
    const { checker } = this;
    if (type.isStringLiteral() || type.isNumberLiteral()) return { kind: 'constant', value: type.value };
    if (type.flags & ts.TypeFlags.BooleanLiteral) {
      return { kind: 'constant', value: checker.typeToString(type) === 'true' };
    }
    const text = checker.typeToString(type);
    if (text === 'string' || text === 'number' || text === 'null') return { kind: 'primitive', name: text };
    if (checker.isArrayType(type) || checker.isTupleType(type)) {
      // What a tuple holds is alike, or it is none that can be printed.
      const [of, ...others] = checker.getTypeArguments(type as ts.TypeReference);
      if (of !== undefined && others.every((each) => each === of)) return { kind: 'list', of: this.modelOf(of) };
    }
    const values = type.getStringIndexType();
    if (values !== undefined) return { kind: 'map', of: this.modelOf(values) };
    if (!(type.flags & ts.TypeFlags.Object) || type.getCallSignatures().length > 0) {
      throw new Error(`${text} cannot be printed as JSON`);
    }
    const isNamed = type.isClassOrInterface() && type.typeParameters === undefined;
    return isNamed ? this.shape(type) : { kind: 'fields', fields: this.fieldsOf(type) };
  }

  private shape(type: ts.Type): Model {
    const { name } = type.symbol;
    if (!this.shapes.has(name)) {
      const shape = { meaning: this.meaningOf(type.symbol), fields: [] as Field[] };
      this.shapes.set(name, shape);
      shape.fields = this.fieldsOf(type);
    }
    return { kind: 'shape', name };
  }
}

function rank(model: Model): string {
  if (model.kind === 'constant') return `1 ${model.value}`;
  return model.kind === 'primitive' && model.name === 'null' ? '2' : '0';
}
