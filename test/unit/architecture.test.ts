import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Import, importsBelow } from './imports.js';

const ROOT = join(import.meta.dirname, '../..');
const src = await importsBelow('src');

/** `from → to`, as a person reads it. */
const arrow = ({ from, to }: Import): string => `${from} → ${to}`;

describe('imports', () => {
  it('lead out of src at one place: where the lab’s commands are loaded once they are called for', () => {
    const outside = src.filter(({ to }) => to.includes('/') && /^(lab|bench|test|scripts)\//.test(to));
    expect(outside.map(arrow)).toEqual(['src/client.ts → lab/command.ts']);
    expect(outside[0]?.isLazy).toBe(true);
  });

  it('keep the plan pure: nothing that it is made of is a module of Node or a package', () => {
    const seen = new Set<string>();
    const ways = [['src/plan/install.ts']];
    for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
      const from = way.at(-1) as string;
      for (const { to } of src.filter((each) => each.from === from && !each.isType && !each.isLazy)) {
        if (seen.has(to)) continue;
        seen.add(to);
        expect(to, [...way, to].join(' → ')).toMatch(/^src\//);
        ways.push([...way, to]);
      }
    }
    expect(seen.size).toBeGreaterThan(20);
  });

  it('run in no circle, once types are gone', () => {
    expect(src.length).toBeGreaterThan(1_000);
    const loaded = src.filter(({ to, isLazy, isType }) => to.startsWith('src/') && !isLazy && !isType);
    expect(circles(loaded)).toEqual([]);
  });
});

describe('a component', () => {
  const kinds = ['load-balancer', 'etcd', 'runtime', 'network', 'artifacts'];
  const choices = kinds.flatMap((kind) => {
    const folder = join(ROOT, 'src/components', kind);
    const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'settings.ts')));
    return names.map((name) => `src/components/${kind}/${name}/`);
  });

  it('is named in its own folder and in the registry alone', () => {
    expect(choices.length).toBeGreaterThanOrEqual(6);
    const named = src.filter(({ from, to }) => {
      const choice = choices.find((each) => to.startsWith(each));
      return choice !== undefined && !from.startsWith(choice) && !from.startsWith('src/components/registry/');
    });
    expect(named.map(arrow)).toEqual([]);
  });

  it.each(choices)('has its parts apart: %s', (choice) => {
    const of = (file: string) =>
      src.filter(({ from, isType }) => from === `${choice}${file}` && !isType).map(({ to }) => to);
    // Workflow code takes the names of its actions: nothing else comes with them.
    expect(of('actions.ts')).toEqual([]);
    for (const pure of ['settings.ts', 'plan.ts']) {
      expect(
        of(pure).filter((to) => to === 'zod' || to.startsWith('node:') || to.startsWith('src/activities')),
      ).toEqual([]);
    }
    expect(of('schema.ts').filter((to) => to.startsWith('src/activities') || to.startsWith('src/hosts'))).toEqual([]);
  });
});

/** Every way that comes back to where it began, each once, shown by its files. */
function circles(imports: Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const found = new Set<string>();
  const done = new Set<string>();
  const visit = (file: string, way: string[]): void => {
    const at = way.indexOf(file);
    if (at >= 0) found.add([...way.slice(at), file].join(' → '));
    if (at >= 0 || done.has(file)) return;
    for (const to of next.get(file) ?? []) visit(to, [...way, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return [...found];
}
