import { type DrillReport, type DrillTimes, PROBE_KINDS, type ScenarioReport } from '../plan/drill-report.js';

/** An element of SVG without children; its class says what it shows. */
export interface Mark {
  tag: 'text' | 'rect' | 'line';
  attributes: Record<string, string | number>;
  text?: string;
}

/** A drill as a picture, for whoever puts it into a file or onto a page. */
export interface Drawing {
  width: number;
  height: number;
  title: string;
  /** What it shows, for who does not see it. */
  words: string;
  marks: Mark[];
}

const WIDTH = 960;
const LABEL = 190;
const CHART = WIDTH - LABEL - 30;
const ROW = 20;
const HEAD = 44;
/** Of one scenario, with the line of times above its rows and the axis below them. */
const BLOCK = HEAD + PROBE_KINDS.length * ROW + 34;
/** Seconds before the break that are drawn. */
const BEFORE_MS = 5_000;

const KIND_NAMES = { version: 'any answer', read: 'read', write: 'write', dns: 'DNS from a pod' } as const;

const MOMENTS: [key: keyof DrillTimes, name: string][] = [
  ['left', 'out of balancers'],
  ['returned', 'back in balancers'],
  ['notReady', 'NotReady'],
  ['moved', 'pods moved'],
  ['restored', 'put back'],
  ['healthy', 'whole'],
];

/**
 * Draws a drill: for each scenario a line for each kind of question, red where nothing was answered, and the moments at which something
 * happened. Classes: `page` the ground, `well` and `gap` of a row, `break` and `moment` of lines, `axis`; of texts `title`, `scenario` and
 * `faint`. Pure.
 */
export function drawDrill({ cluster, at, scenarios }: DrillReport): Drawing {
  const height = 50 + Math.max(1, scenarios.length) * BLOCK;
  const title = `Fail-over drill of ${cluster}, ${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const blocks = scenarios.flatMap((each, index) => block(each, 50 + index * BLOCK));
  return {
    width: WIDTH,
    height,
    title,
    words: inWords(scenarios),
    marks: [
      { tag: 'rect', attributes: { class: 'page', width: WIDTH, height } },
      text(20, 30, title, 'title'),
      ...(scenarios.length === 0 ? [text(20, 70, 'Nothing was measured.')] : blocks),
    ],
  };
}

function inWords(scenarios: readonly ScenarioReport[]): string {
  const told = scenarios.map(({ scenario, victim, gaps }) => {
    const longest = gaps.map(({ kind, gapMs }) => `${KIND_NAMES[kind]} ${gapMs} ms`).join(', ');
    return `${scenario} on ${victim}: longest time without an answer: ${longest}.`;
  });
  return told.join(' ') || 'Nothing was measured.';
}

function block({ scenario, victim, prober, gaps, times }: ScenarioReport, top: number): Mark[] {
  const ends = [...Object.values(times), ...gaps.flatMap(({ outages }) => outages.map(({ toMs }) => toMs)), 10_000];
  const end = Math.max(...ends) * 1.05;
  const x = (ms: number): number => round(LABEL + ((ms + BEFORE_MS) / (end + BEFORE_MS)) * CHART);
  const rows = PROBE_KINDS.flatMap((kind, index) => {
    const y = top + HEAD + index * ROW;
    const gap = gaps.find((each) => each.kind === kind);
    const bars = (gap?.outages ?? []).map(({ fromMs, toMs }) => {
      const from = x(Math.max(fromMs, -BEFORE_MS));
      // Never thinner than can be seen.
      return bar(from, Math.max(2, x(toMs) - from), y, 'gap');
    });
    const words = gap === undefined ? KIND_NAMES[kind] : `${KIND_NAMES[kind]}: ${gap.gapMs} ms`;
    return [text(20, y + 12, words), bar(LABEL, CHART, y, 'well'), ...bars];
  });
  const bottom = top + HEAD + PROBE_KINDS.length * ROW;
  const line = (ms: number, kind: string): Mark => ({
    tag: 'line',
    attributes: { class: kind, x1: x(ms), x2: x(ms), y1: top + HEAD - 6, y2: bottom },
  });
  const moments = MOMENTS.flatMap(([key, name]) => {
    const ms = times[key];
    return ms === undefined ? [] : [{ ms, name }];
  }).sort((a, b) => a.ms - b.ms);
  const said = ['broken at 0 s', ...moments.map(({ ms, name }) => `${name} ${seconds(ms)}`)].join('  ·  ');
  return [
    text(20, top + 16, `${scenario}: ${victim} is struck, ${prober} asks`, 'scenario'),
    text(LABEL, top + 32, said, 'faint'),
    ...rows,
    line(0, 'break'),
    ...moments.map(({ ms }) => line(ms, 'moment')),
    { tag: 'line', attributes: { class: 'axis', x1: LABEL, x2: LABEL + CHART, y1: bottom, y2: bottom } },
    ...ticks(end).map((ms) => text(x(ms) - 8, bottom + 14, seconds(ms), 'faint')),
  ];
}

const TICKS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600];

/** About eight of them. */
function ticks(end: number): number[] {
  const step = (TICKS.find((each) => end / (each * 1_000) <= 8) ?? 1_200) * 1_000;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, index) => index * step);
}

const bar = (x: number, width: number, y: number, kind: string): Mark => ({
  tag: 'rect',
  attributes: { class: kind, x, y, width: round(width), height: ROW - 6 },
});

const text = (x: number, y: number, words: string, kind?: string): Mark => ({
  tag: 'text',
  attributes: { ...(kind === undefined ? {} : { class: kind }), x: round(x), y },
  text: words,
});

const seconds = (ms: number): string => `${round(ms / 1_000)} s`;

const round = (value: number): number => Math.round(value * 10) / 10;
