import type { BundleListing } from '../artifacts/list.js';
import { pad } from './text.js';
import { paintLine, type Theme } from './theme.js';
import type { Line, StyleName } from './types.js';

const HEADINGS = ['KUBERNETES', 'ARCH', 'MAKER', 'STATE', 'MADE', 'SIZE', 'CONTAINERD', 'ETCD'];

const STYLES: Record<BundleListing['state'], StyleName | undefined> = {
  current: undefined,
  outdated: 'faint',
  damaged: 'bad',
};

/** A table of bundles, each with its directory below it, for those are what `bundle verify` and cluster.yaml take. */
export function bundleLines(listings: BundleListing[], theme: Theme, columns: number): string[] {
  const rows = listings.map(cells);
  const widths = HEADINGS.map((heading, at) => Math.max(heading.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const joined = (row: string[]): string => row.map((cell, at) => pad(cell, widths[at] ?? 0)).join('  ');
  const lines: Line[] = [[{ text: joined(HEADINGS), style: 'faint' }]];
  for (const [at, listing] of listings.entries()) {
    const style = STYLES[listing.state];
    lines.push([{ text: joined(rows[at] ?? []), ...(style && { style }) }]);
    lines.push([{ text: `  ${listing.path}` }]);
    if (listing.problem) lines.push([{ text: `  ${listing.problem}`, style: 'bad' }]);
  }
  return lines.map((line) => paintLine(line, theme, Math.max(columns, 200)).trimEnd());
}

function cells({ kubernetes, architecture, maker, state, createdAt, size, versions }: BundleListing): string[] {
  const made = createdAt ? createdAt.slice(0, 16).replace('T', ' ') : '';
  const megabytes = size === undefined ? '' : `${Math.round(size / 1e6)} MB`;
  const { containerd, etcd } = versions ?? {};
  return [kubernetes, architecture, maker, state, made, megabytes, containerd, etcd].map((cell) => cell || '-');
}
