import { Fragment, h } from '/vendor/preact.js';
import { Day } from './day.js';
import { Dialog } from './dialog.js';
import { Drills } from './drills.js';
import { Facts } from './facts.js';
import { Operation } from './operation.js';
import { Overview } from './overview.js';
import { Badge } from './signs.js';
import { type Acts, type State, workOn } from './state.js';
import { Topology } from './topology.js';

interface AppProps {
  state: State;
  acts: Acts;
}

/** The whole page. It shows what the state says and keeps nothing itself. */
export function App({ state, acts }: AppProps) {
  const { cluster, connection, said } = state;
  return (
    <>
      <header class="bar">
        <p class="brand">Kubewright</p>
        <nav aria-label="Pages">
          <a href="#/" aria-current={cluster === undefined ? 'page' : undefined}>
            Clusters
          </a>
        </nav>
        <p class="connection" data-connection={connection}>
          {CONNECTIONS[connection]}
        </p>
      </header>
      <main id="main" tabIndex={-1}>
        <div role="status" class="aloud">
          {said}
        </div>
        {connection === 'refused' ? <Refused /> : <Content state={state} acts={acts} />}
      </main>
    </>
  );
}

const CONNECTIONS = {
  connecting: 'connecting …',
  open: 'live',
  lost: 'cut off; trying again …',
  refused: 'not connected',
};

function Refused() {
  return (
    <>
      <h1>This address is not complete</h1>
      <p>
        Open the whole address that <code>kubewright dashboard</code> has printed: it holds a token, a new one at each
        start.
      </p>
    </>
  );
}

function Content({ state, acts }: AppProps) {
  const { cluster, connection, told, now, notice } = state;
  return (
    <>
      {connection === 'lost' && (
        <p class="note bad">The program that serves this page does not answer. What is shown may be old.</p>
      )}
      {told.troubles?.map((trouble) => (
        <p class="note bad" key={trouble}>
          {trouble}
        </p>
      ))}
      {notice !== undefined && (
        <p id="notice" tabIndex={-1} class={`note ${notice.tone}`}>
          {notice.text}
        </p>
      )}
      {cluster === undefined ? (
        <Overview overview={told.overview} now={now} />
      ) : (
        <Cluster cluster={cluster} state={state} acts={acts} />
      )}
    </>
  );
}

function Cluster({ cluster, state, acts }: AppProps & { cluster: string }) {
  const { told, question, asked, isNarrow } = state;
  const { status, operation, day, drills } = told;
  return (
    <>
      <h1>
        {cluster} {status !== undefined && <Badge tone={status.tone}>{status.state}</Badge>}
      </h1>
      {status === undefined && operation === undefined && <p>Asking Temporal …</p>}
      {operation && <Operation operation={operation} state={state} acts={acts} />}
      {status !== undefined && <Topology status={status} work={workOn(operation)} isNarrow={isNarrow} />}
      {status !== undefined && <Facts status={status} />}
      {day !== undefined && <Day day={day} />}
      {drills?.last !== undefined && <Drills last={drills.last} earlier={drills.earlier} />}
      {question !== undefined && (
        <Dialog key={asked} question={question} cluster={cluster} noun={operation?.noun ?? 'install'} acts={acts} />
      )}
    </>
  );
}
