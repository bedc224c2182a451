import type { Flow } from '../../../components/flows.js';
import { datagramOrder, numberOf, type Run, UDP, VRRP } from './orders.js';

/** How a packet did not come through. `own`: the sender's own filter refused to send it. */
export type Blocked = 'timeout' | 'refused' | 'unreachable' | 'own';

/** What became of one flow. "It could not be asked" is an outcome of its own, never a pass. */
export type Outcome =
  | { is: 'passes' }
  | { is: 'blocked'; how: Blocked }
  /** Connected, but not to our listener: `said` is what came instead, empty for nothing. */
  | { is: 'wrong'; said: string }
  | { is: 'unknown'; why: string };

export interface Observation {
  flow: Flow;
  outcome: Outcome;
}

/** What one of the three scripts printed on one host, or why it has nothing to say. */
export type Said = { lines: string[] } | { why: string };

/** What all hosts said, by their names. */
export interface Round {
  listened: Map<string, Said>;
  probed: Map<string, Said>;
  collected: Map<string, Said>;
}

type Port = 'listening' | 'taken' | 'quiet' | 'unknown';

/** What the receiving end of a TCP flow had at its port. */
export function portOf(listened: Map<string, Said>, flow: Flow): Port {
  const said = listened.get(flow.to);
  if (flow.protocol !== 'tcp' || said === undefined || !('lines' in said)) return 'unknown';
  for (const state of ['listening', 'taken', 'quiet'] as const) {
    if (said.lines.includes(`${state} ${flow.port}`)) return state;
  }
  return 'unknown';
}

/** What became of each flow, by what the hosts said; pure. */
export function observe(run: Run, round: Round): Observation[] {
  return run.flows.map((flow, id) => ({
    flow,
    outcome: flow.protocol === 'tcp' ? outcomeOfTcp(flow, id, round) : outcomeOfDatagram(run, flow, round),
  }));
}

const passes: Outcome = { is: 'passes' };
const blocked = (how: Blocked): Outcome => ({ is: 'blocked', how });
const unknown = (why: string): Outcome => ({ is: 'unknown', why });

function outcomeOfTcp(flow: Flow, id: number, { listened, probed, collected }: Round): Outcome {
  const said = probed.get(flow.from);
  if (said === undefined || 'why' in said) return unknown(`${flow.from} could not ask: ${said?.why ?? 'no answer'}`);
  const line = said.lines.find((each) => each.startsWith(`tcp ${id} `));
  const [, , word = '', ...rest] = line?.split(' ') ?? [];
  switch (word) {
    case 'ok':
      return passes;
    case 'timeout':
    case 'unreachable':
    case 'own':
      return blocked(word);
    case 'refused':
      return refused(flow, portOf(listened, flow), listened.get(flow.to), collected.get(flow.to));
    case 'silent':
    case 'wrong':
      return { is: 'wrong', said: rest.join(' ') };
    default:
      return unknown(line === undefined ? `${flow.from} broke off` : `${flow.from}: ${rest.join(' ')}`);
  }
}

/** A refusal blames the network only where somebody surely listened. */
function refused(flow: Flow, port: Port, listened: Said | undefined, collected: Said | undefined): Outcome {
  // Nobody was to listen there: the refusal is the answer of its kernel, which the packet has reached.
  if (port === 'quiet') return passes;
  if (port === 'taken') return blocked('refused');
  if (port === 'unknown') return unknown(`nobody listened on ${flow.to}: ${whyOf(listened)}`);
  return isWhole(collected) ? blocked('refused') : unknown(`the listener on ${flow.to} ended early`);
}

function outcomeOfDatagram({ cluster }: Run, flow: Flow, { listened, probed, collected }: Round): Outcome {
  const heard = listened.get(flow.to);
  const protocol = flow.protocol === 'udp' ? UDP : VRRP;
  if (heard === undefined || 'why' in heard || !heard.lines.includes(`receiving ${protocol}`)) {
    return unknown(`nobody listened on ${flow.to}: ${whyOf(heard)}`);
  }
  const got = collected.get(flow.to);
  const sender = numberOf(cluster, flow.from);
  const receipt = flow.protocol === 'udp' ? `udp ${flow.port} ${sender}` : `vrrp ${sender}`;
  if (got !== undefined && 'lines' in got && got.lines.includes(receipt)) return passes;
  if (!isWhole(got)) return unknown(`the listener on ${flow.to} ended early`);
  const sent = probed.get(flow.from);
  if (sent === undefined || 'why' in sent) return unknown(`${flow.from} could not send: ${sent?.why ?? 'no answer'}`);
  const order = `unsent ${datagramOrder(cluster, flow)}: `;
  const unsent = sent.lines.find((line) => line.startsWith(order))?.slice(order.length);
  if (unsent === 'Operation not permitted') return blocked('own');
  if (unsent !== undefined) return unknown(`${flow.from} could not send: ${unsent}`);
  return sent.lines.includes('end') ? blocked('timeout') : unknown(`${flow.from} broke off`);
}

function isWhole(said: Said | undefined): boolean {
  return said !== undefined && 'lines' in said && said.lines.includes('end');
}

function whyOf(said: Said | undefined): string {
  if (said === undefined) return 'no answer';
  if ('why' in said) return said.why;
  return said.lines.filter((line) => /^(failed|deaf) /.test(line)).join(', ') || 'it did not say so';
}
