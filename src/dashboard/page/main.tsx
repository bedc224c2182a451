import { h, render } from '/vendor/preact.js';
import type { DecisionRequest, Told } from '../told.js';
import { sendDecision } from './api.js';
import { App } from './app.js';
import { type Acts, merged, type State, worthSaying } from './state.js';
import { listen } from './stream.js';
import { takeToken } from './token.js';

const token = takeToken();
const narrow = matchMedia('(max-width: 45rem)');

let state: State = {
  cluster: undefined,
  connection: 'connecting',
  told: {},
  now: Date.now(),
  isNarrow: narrow.matches,
  toggled: new Map(),
  question: undefined,
  asked: 0,
  notice: undefined,
  isDeciding: false,
  said: '',
};

/** Changes what is shown. */
function become(change: Partial<State>): void {
  state = { ...state, ...change };
  const root = document.getElementById('page');
  if (root !== null) render(<App state={state} acts={acts} />, root);
}

const acts: Acts = {
  retry: (step, blocking) => void decide({ verb: 'retry', step, blocking }),
  ask: (question) => become({ question, asked: state.asked + 1 }),
  forget: (question) => {
    if (state.question === question) become({ question: undefined });
  },
  decide: ({ verb, step, blocking }, reason) => {
    document.querySelector('dialog')?.close();
    void decide({ verb, step, blocking, ...(reason === '' ? {} : { reason }) });
  },
  toggle: (phase, isOpen) => become({ toggled: new Map([...state.toggled, [phase, isOpen]]) }),
};

async function decide(decision: DecisionRequest): Promise<void> {
  const { cluster } = state;
  if (cluster === undefined || state.isDeciding) return;
  become({ isDeciding: true, notice: undefined, said: '' });
  const answer = await sendDecision(token, cluster, decision);
  const text = answer.taken ? answer.message : `${answer.message} ${answer.hint}`.trim();
  become({ isDeciding: false, notice: { tone: answer.taken ? 'good' : 'bad', text } });
  // The button may be gone in a moment: who uses the keyboard goes on from the answer.
  document.getElementById('notice')?.focus();
}

function heard<Name extends keyof Told>(name: Name, value: Told[Name]): void {
  if (name !== 'operation') {
    become({ told: { ...state.told, [name]: value } });
    return;
  }
  const before = state.told.operation;
  const operation = merged(before, value as Told['operation']);
  become({ told: { ...state.told, operation }, said: worthSaying(before, operation) ?? state.said });
}

let listening = new AbortController();

/** Shows the place that the address names, and listens to what happens there. */
function go(): void {
  listening.abort();
  listening = new AbortController();
  const cluster = /^#\/clusters\/([a-z0-9-]+)$/.exec(location.hash)?.[1];
  const isMove = cluster !== state.cluster;
  document.title = cluster === undefined ? 'Kubewright' : `${cluster} · Kubewright`;
  become({ cluster, told: {}, toggled: new Map(), question: undefined, notice: undefined, said: '' });
  // As a new page would: the next key begins at its top.
  if (isMove) document.getElementById('main')?.focus();
  const { signal } = listening;
  const path = cluster === undefined ? '/api/events' : `/api/clusters/${cluster}/events`;
  const hearer = {
    told: <Name extends keyof Told>(name: Name, value: Told[Name]) => {
      if (!signal.aborted) heard(name, value);
    },
    connection: (connection: State['connection']) => {
      if (!signal.aborted) become({ connection });
    },
  };
  void listen(path, token, hearer, signal);
}

addEventListener('hashchange', go);
narrow.addEventListener('change', () => become({ isNarrow: narrow.matches }));
// What still runs grows older on the page, too.
setInterval(() => {
  if (!document.hidden) become({ now: Date.now() });
}, 1_000);
const first = document.getElementById('page');
first?.replaceChildren();
go();
