/** kubectl's JSONPath templates, as far as the steps write them: text, fields, filters by equality, ranges. */

/** Fills a template, such as `{.metadata.name}{"\n"}`, in for an object. What is not there is empty; a map is JSON. */
export function fill(template: string, object: unknown): string {
  return render(parse(template), object);
}

type Part = { text: string } | { path: string } | { range: string; body: Part[] };

function parse(template: string): Part[] {
  const root: Part[] = [];
  const open: Part[][] = [root];
  for (const [token] of template.matchAll(/\{(?:"(?:[^"\\]|\\.)*"|[^{}"]|"[^"]*")*\}|[^{}]+/g)) {
    const parts = open.at(-1) as Part[];
    const inner = token.startsWith('{') ? token.slice(1, -1).trim() : undefined;
    if (inner === undefined) parts.push({ text: token });
    else if (inner.startsWith('"')) parts.push({ text: JSON.parse(inner) as string });
    else if (inner === 'end') open.pop();
    else if (inner.startsWith('range ')) {
      const range = { range: inner.slice('range '.length), body: [] };
      parts.push(range);
      open.push(range.body);
    } else parts.push({ path: inner });
  }
  if (open.length !== 1) throw new Error(`not a template that is understood: ${template}`);
  return root;
}

function render(parts: Part[], object: unknown): string {
  return parts
    .map((part) => {
      if ('text' in part) return part.text;
      if ('path' in part) return find(part.path, object).map(shown).join(' ');
      return find(part.range, object)
        .map((each) => render(part.body, each))
        .join('');
    })
    .join('');
}

function shown(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

const STEP = /\.((?:[^.[\]\\]|\\.)+)|\[\*\]|\[\?\(@\.(\w+)=="([^"]*)"\)\]/y;

/** Every value at a path, such as `.status.conditions[?(@.type=="Ready")].status`. */
function find(path: string, object: unknown): unknown[] {
  let found = [object];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < path.length) {
    const at = STEP.lastIndex;
    const step = STEP.exec(path);
    if (step === null) throw new Error(`not a path that is understood: ${path} at ${at}`);
    const [, field, key, value] = step;
    found = found.flatMap((each): unknown[] => {
      if (field !== undefined) {
        const value = (each as Record<string, unknown> | undefined)?.[field.replaceAll('\\', '')];
        return value === undefined || value === null ? [] : [value];
      }
      const list = Array.isArray(each) ? (each as Record<string, unknown>[]) : [];
      return key === undefined ? list : list.filter((one) => one[key] === value);
    });
  }
  return found;
}
