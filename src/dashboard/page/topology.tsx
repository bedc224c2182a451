import { h } from '/vendor/preact.js';
import type { HostView, StatusView } from '../told.js';
import { BOX, DOT, type DrawnRole, ENDPOINT, type Layout, layoutOf, type Place } from './layout.js';
import type { HostWork } from './state.js';
import { SIGNS } from './words.js';

interface TopologyProps {
  status: StatusView;
  /** What an operation does on hosts now. */
  work: ReadonlyMap<string, HostWork>;
  isNarrow: boolean;
}

/** The cluster as a picture, and the same as a table for who does not see it, or has many hosts. */
export function Topology({ status, work, isNarrow }: TopologyProps) {
  const layout = layoutOf(status, isNarrow);
  if (status.roles.length === 0) return null;
  return (
    <section aria-labelledby="topology-title">
      <h2 id="topology-title">Hosts</h2>
      <svg
        class="topology"
        viewBox={`0 0 ${layout.width} ${layout.height}`}
        role="img"
        aria-labelledby="picture-title picture-text"
      >
        <title id="picture-title">Hosts of {status.cluster}</title>
        <desc id="picture-text">{inShort(status, work)}</desc>
        <Lines layout={layout} status={status} />
        <Endpoint layout={layout} status={status} />
        {layout.roles.map((drawn) => (
          <Role key={drawn.role.role} drawn={drawn} work={work} />
        ))}
      </svg>
      <HostTable status={status} work={work} />
    </section>
  );
}

function inShort({ endpoint, roles }: StatusView, work: TopologyProps['work']): string {
  const parts = roles.map(({ title, hosts }) => {
    const troubled = hosts.filter(({ name, tone }) => tone === 'bad' || work.get(name)?.tone === 'bad');
    const names = troubled.slice(0, 5).map(({ name }) => name);
    return names.length === 0 ? title : `${title}, trouble on ${names.join(', ')}`;
  });
  return [...(endpoint === undefined ? [] : [`API at ${endpoint}`]), ...parts].join('. ');
}

function Endpoint({ layout, status }: { layout: Layout; status: StatusView }) {
  if (layout.endpoint === undefined) return null;
  const { x, y } = layout.endpoint;
  return (
    <g class="endpoint">
      <rect x={x} y={y} width={ENDPOINT.width} height={ENDPOINT.height} rx="20" />
      <text x={x + ENDPOINT.width / 2} y={y + 25} text-anchor="middle">
        {status.endpoint}
      </text>
    </g>
  );
}

/** From the endpoint to who answers there, thick to who holds its address; from each role to the next. */
function Lines({ layout: { endpoint, roles, width }, status }: { layout: Layout; status: StatusView }) {
  const [first] = roles;
  const holders = status.roles.flatMap((role) => role.hosts).filter(({ holdsVirtualIp }) => holdsVirtualIp);
  const from = endpoint && { x: endpoint.x + ENDPOINT.width / 2, y: endpoint.y + ENDPOINT.height };
  return (
    <g class="lines">
      {from !== undefined &&
        !first?.isDense &&
        first?.places
          .filter(({ y }) => y === first.top)
          .map(({ host, x, y }) => (
            <path
              key={host.name}
              class={holders.includes(host) ? 'held' : ''}
              d={`M${from.x} ${from.y} C ${from.x} ${y - 12}, ${x + BOX.width / 2} ${from.y + 12}, ${x + BOX.width / 2} ${y}`}
            />
          ))}
      {roles.slice(1).map(({ role, top }, index) => (
        <path key={role.role} d={`M${width / 2} ${roles[index]?.bottom ?? top} V ${top}`} />
      ))}
    </g>
  );
}

function Role({ drawn, work }: { drawn: DrawnRole; work: TopologyProps['work'] }) {
  const { role, titleY, isDense, places } = drawn;
  return (
    <g>
      <text class="role" x="2" y={titleY}>
        {role.title}
      </text>
      {places.map((place) =>
        isDense ? (
          <Dot key={place.host.name} place={place} work={work.get(place.host.name)} />
        ) : (
          <Box key={place.host.name} place={place} work={work.get(place.host.name)} />
        ),
      )}
    </g>
  );
}

function Dot({ place: { host, x, y }, work }: { place: Place; work: HostWork | undefined }) {
  return (
    <rect class={`host ${work?.tone ?? host.tone}`} x={x} y={y} width={DOT.size} height={DOT.size} rx="3">
      <title>{`${host.name}: ${work?.text ?? host.words.join(', ')}`}</title>
    </rect>
  );
}

/** Letters that fit into a box. */
const FITS = 19;

function Box({ place: { host, x, y }, work }: { place: Place; work: HostWork | undefined }) {
  const tone = work?.tone ?? host.tone;
  const text = work?.text ?? host.words.join(', ');
  return (
    <g class={`host ${tone}`}>
      <title>{`${host.name}, ${host.address}: ${text}`}</title>
      <rect x={x} y={y} width={BOX.width} height={BOX.height} rx="8" />
      <text class="name" x={x + 10} y={y + 22}>
        {short(host.name, FITS - 3)}
      </text>
      <text class="sign" x={x + BOX.width - 12} y={y + 22} text-anchor="end">
        {SIGNS[tone]}
      </text>
      <text class="state" x={x + 10} y={y + 40}>
        {short(text, FITS + 4)}
      </text>
      <text class="marks" x={x + 10} y={y + 55}>
        {marksOf(host).join(', ')}
      </text>
    </g>
  );
}

function marksOf({ holdsVirtualIp, leadsEtcd }: HostView): string[] {
  return [...(holdsVirtualIp ? ['virtual IP'] : []), ...(leadsEtcd ? ['etcd leader'] : [])];
}

function short(text: string, letters: number): string {
  return text.length <= letters ? text : `${text.slice(0, letters - 1)}…`;
}

function HostTable({ status, work }: Pick<TopologyProps, 'status' | 'work'>) {
  return (
    <details>
      <summary>As a table</summary>
      {status.roles.map(({ role, title, hosts }) => (
        <table key={role}>
          <caption>{title}</caption>
          <thead>
            <tr>
              <th scope="col">Host</th>
              <th scope="col">Address</th>
              <th scope="col">State</th>
              <th scope="col">Version</th>
            </tr>
          </thead>
          <tbody>
            {hosts.map((host) => (
              <tr key={host.name}>
                <th scope="row">{host.name}</th>
                <td>{host.address}</td>
                <td>{[...host.words, ...marksOf(host), work.get(host.name)?.text].filter(Boolean).join(', ')}</td>
                <td>{host.kubelet ?? ''}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ))}
    </details>
  );
}
