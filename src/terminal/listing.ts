import type { RunListing } from '../engine/types.js';
import { pad, utcMinute } from './text.js';

import { paintLine, type Theme } from './theme.js';
import type { Line, StyleName } from './types.js';

/** A table of installs, blocked ones first. */
export function listingLines(listings: RunListing[], theme: Theme, columns: number): string[] {
  if (listings.length === 0) return ['There is no install. Start one with `kubewright install cluster.yaml`.'];
  const sorted = [...listings].sort((a, b) => Number(b.blocked.length > 0) - Number(a.blocked.length > 0));
  const width = Math.max('CLUSTER'.length, ...sorted.map((listing) => listing.cluster.length));
  const head: Line = [
    { text: `${pad('CLUSTER', width)}  ${pad('STATE', 11)}  ${pad('STARTED', 16)}  BLOCKED`, style: 'faint' },
  ];
  const rows = sorted.map(
    (listing): Line => [
      { text: `${pad(listing.cluster, width)}  ` },
      { text: `${pad(stateOf(listing), 11)}  `, style: styleOf(listing) },
      { text: `${utcMinute(listing.startedAt)}  ` },
      { text: listing.blocked.join(', '), style: 'bad' },
    ],
  );
  return [head, ...rows].map((line) => paintLine(line, theme, columns).trimEnd());
}

function stateOf(listing: RunListing): string {
  if (listing.status !== 'running') return listing.status === 'completed' ? 'installed' : listing.status;
  return listing.blocked.length > 0 ? 'blocked' : listing.state || 'running';
}

function styleOf(listing: RunListing): StyleName {
  if (listing.status === 'completed') return 'good';
  return listing.status === 'running' && listing.blocked.length === 0 ? 'busy' : 'bad';
}
