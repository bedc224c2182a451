import type { RunListing } from '../engine/types.js';
import { OPERATIONS } from '../plan/operations.js';
import { pad, utcMinute } from './text.js';
import { paintLine, type Theme } from './theme.js';
import type { Line, StyleName } from './types.js';

/** A table of installs, blocked ones first. */
export function listingLines(listings: RunListing[], theme: Theme, columns: number): string[] {
  if (listings.length === 0) return ['There is no install. Start one with `kubewright install cluster.yaml`.'];
  const sorted = [...listings].sort((a, b) => Number(b.blocked.length > 0) - Number(a.blocked.length > 0));
  const width = Math.max('CLUSTER'.length, ...sorted.map((listing) => listing.cluster.length));
  const states = Math.max(11, ...sorted.map((listing) => stateOf(listing).length));
  const head: Line = [
    { text: `${pad('CLUSTER', width)}  ${pad('STATE', states)}  ${pad('STARTED', 16)}  BLOCKED`, style: 'faint' },
  ];
  const rows = sorted.map(
    (listing): Line => [
      { text: `${pad(listing.cluster, width)}  ` },
      { text: `${pad(stateOf(listing), states)}  `, style: styleOf(listing) },
      { text: `${utcMinute(listing.startedAt)}  ` },
      { text: blockedIn(listing), style: 'bad' },
    ],
  );
  return [head, ...rows].map((line) => paintLine(line, theme, columns).trimEnd());
}

/** How many stands first: the end of a long list is cut off. One that has no room for all names ends with `+N`. */
function blockedIn({ blocked }: RunListing): string {
  const more = /^\+(\d+)$/.exec(blocked.at(-1) ?? '');
  const names = more === null ? blocked : blocked.slice(0, -1);
  const count = names.length + Number(more?.[1] ?? 0);
  return count > 1 ? `${count}: ${names.join(', ')}${more === null ? '' : ', …'}` : names.join(', ');
}

/** How the latest operation of a cluster stands, in a word. */
export function stateOf(listing: RunListing): string {
  if (listing.status !== 'running') return listing.status === 'completed' ? doneOf(listing) : listing.status;
  return listing.blocked.length > 0 ? 'blocked' : listing.state || 'running';
}

function doneOf({ operation = 'install' }: RunListing): string {
  return OPERATIONS[operation].words.done;
}

/** How that looks. */
export function styleOf(listing: RunListing): StyleName {
  if (listing.status === 'completed') return 'good';
  return listing.status === 'running' && listing.blocked.length === 0 ? 'busy' : 'bad';
}
