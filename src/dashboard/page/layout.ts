import type { HostView, RoleView, StatusView } from '../told.js';

/** A host's place in the picture. Units of the drawing. */
export interface Place {
  host: HostView;
  x: number;
  y: number;
}

/** Hosts of a role, as they are drawn. */
export interface DrawnRole {
  role: RoleView;
  /** Baseline of its title. */
  titleY: number;
  /** Too many for names: a small square each. */
  isDense: boolean;
  places: Place[];
  top: number;
  bottom: number;
}

/** Where everything is. */
export interface Layout {
  width: number;
  height: number;
  /** Of the endpoint's box, where there is one. */
  endpoint: { x: number; y: number } | undefined;
  roles: DrawnRole[];
}

export const BOX = { width: 164, height: 62, gap: 14 };
export const DOT = { size: 16, gap: 5 };
export const ENDPOINT = { width: 210, height: 40 };

/** Hosts of a role that have a box with a name. */
const NAMED = 40;
const TITLE = 30;
const BETWEEN = 22;

/** The way of a request: to who answers for the API, to etcd, to who does the work. */
const ORDER: readonly RoleView['role'][] = ['director', 'control-plane', 'etcd', 'worker'];

/** Places everything from top to bottom. Pure. */
export function layoutOf({ endpoint, roles }: StatusView, isNarrow: boolean): Layout {
  const columns = isNarrow ? 2 : 4;
  const width = columns * BOX.width + (columns - 1) * BOX.gap + 4;
  let y = 2;
  const place = endpoint === undefined ? undefined : { x: (width - ENDPOINT.width) / 2, y };
  if (place !== undefined) y += ENDPOINT.height + BETWEEN;
  const drawn: DrawnRole[] = [];
  for (const name of ORDER) {
    const role = roles.find((each) => each.role === name);
    if (role === undefined) continue;
    const placed = placeRole(role, y, width, columns);
    drawn.push(placed);
    y = placed.bottom + BETWEEN;
  }
  return { width, height: Math.max(1, y - BETWEEN + 2), endpoint: place, roles: drawn };
}

function placeRole(role: RoleView, y: number, width: number, columns: number): DrawnRole {
  const isDense = role.hosts.length > NAMED;
  const size = isDense ? { ...DOT, width: DOT.size, height: DOT.size } : BOX;
  const perRow = isDense ? Math.floor((width + size.gap) / (size.width + size.gap)) : columns;
  const top = y + TITLE;
  const places = role.hosts.map((host, index) => {
    const row = Math.floor(index / perRow);
    // A row that is not full stands in the middle.
    const inRow = Math.min(perRow, role.hosts.length - row * perRow);
    const left = (width - inRow * size.width - (inRow - 1) * size.gap) / 2;
    return { host, x: left + (index % perRow) * (size.width + size.gap), y: top + row * (size.height + size.gap) };
  });
  const rows = Math.ceil(role.hosts.length / perRow);
  const bottom = top + rows * size.height + (rows - 1) * size.gap;
  return { role, titleY: y + TITLE - 10, isDense, places, top, bottom };
}
