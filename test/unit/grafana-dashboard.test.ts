import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

/** Of a dashboard, what asks Prometheus something. */
interface Dashboard {
  panels: { id: number; title: string; gridPos: Place; targets: { expr: string; refId: string }[] }[];
  templating: { list: { name: string; definition?: string }[] };
}
type Place = Record<'x' | 'y' | 'w' | 'h', number>;

const docs = new URL('../../docs/', import.meta.url);
const dashboard = JSON.parse(await readFile(new URL('grafana-dashboard.json', docs), 'utf8')) as Dashboard;
const temporal = await readFile(new URL('temporal.md', docs), 'utf8');

/** What a worker serves, by the table of docs/temporal.md; its code is held against that elsewhere. */
const served = new Set([...temporal.matchAll(/^\| `(kubewright_\w+)` \|/gm)].map(([, name]) => name));
const queries = [
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...dashboard.templating.list.flatMap(({ definition }) => definition ?? []),
];

it('asks for metrics that workers serve, each of them in some panel', () => {
  const asked = new Set(
    queries.flatMap((query) => query.match(/kubewright_\w+/g) ?? []).map((name) => name.replace(/_bucket$/, '')),
  );
  expect([...asked].sort()).toEqual([...served].sort());
});

it('uses the variables that it has, and no others', () => {
  const known = [...dashboard.templating.list.map(({ name }) => name), '__rate_interval'];
  const used = new Set(queries.flatMap((query) => [...query.matchAll(/\$\{?(\w+)\}?/g)].map(([, name]) => name)));
  for (const name of used) expect(known).toContain(name);
});

it('has queries whose parentheses close', () => {
  for (const query of queries) {
    expect(query.split('(').length, query).toBe(query.split(')').length);
    expect(query.split('{').length, query).toBe(query.split('}').length);
  }
});

it('shows no panel above another one', () => {
  const overlaps = (a: Place, b: Place) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
  for (const one of dashboard.panels) {
    const others = dashboard.panels.filter(({ id }) => id !== one.id);
    expect(others.filter(({ gridPos }) => overlaps(one.gridPos, gridPos)).map(({ title }) => title)).toEqual([]);
  }
});
