import { Fragment, h } from '/vendor/preact.js';
import type { ClusterLine, OverviewView } from '../told.js';
import { Badge, Sign } from './signs.js';
import { elapsed, utcMinute } from './words.js';

/** All clusters, and what is scheduled. */
export function Overview({ overview, now }: { overview: OverviewView | undefined; now: number }) {
  if (overview === undefined) return <p>Asking Temporal …</p>;
  const { clusters, schedules, schedulesUnread } = overview;
  return (
    <>
      <section aria-labelledby="clusters-title">
        <h1 id="clusters-title">Clusters</h1>
        {clusters.length === 0 && (
          <p>
            There is none yet. <code>kubewright install cluster.yaml</code> makes one.
          </p>
        )}
        <ul class="cards">
          {clusters.map((line) => (
            <Cluster key={line.cluster} line={line} now={now} />
          ))}
        </ul>
      </section>
      <section aria-labelledby="schedules-title">
        <h2 id="schedules-title">Schedules</h2>
        {schedulesUnread !== undefined && <p class="bad">They are not known: {schedulesUnread}</p>}
        {schedulesUnread === undefined && schedules.length === 0 && <p>None.</p>}
        <dl class="facts">
          {schedules.map(({ cluster, what, rhythm, tone }) => (
            <div key={`${cluster} ${what}`}>
              <dt>
                {cluster}, {what}
              </dt>
              <dd>
                <Sign tone={tone} /> {rhythm}
              </dd>
            </div>
          ))}
        </dl>
      </section>
    </>
  );
}

function Cluster({ line, now }: { line: ClusterLine; now: number }) {
  const { cluster, word, tone, startedAt, closedAt, blocked } = line;
  return (
    <li class={`card ${tone}`}>
      <a href={`#/clusters/${cluster}`}>{cluster}</a> <Badge tone={tone}>{word}</Badge>
      {startedAt !== undefined && (
        <p class="faint">
          {closedAt === undefined ? `for ${elapsed(now - startedAt)}` : `ended ${utcMinute(closedAt)}`}
        </p>
      )}
      {blocked.length > 0 && <p>waits for you: {blocked.join(', ')}</p>}
    </li>
  );
}
