import type { HealthVerdict } from './findings.js';
import type { HealthFinding } from './run.js';
import type { VerdictNews } from './verdict-news.js';

/** A message on a verdict, in the forms that channels have. */
export interface HealthMessage {
  /** One line: the subject of a mail. */
  subject: string;
  /** Some lines, for people. */
  text: string;
  /** For programs: what a webhook and a command get. */
  json: HealthMessageJson;
}

/** What a webhook and a command get. Times are ISO 8601 in UTC. */
export interface HealthMessageJson {
  /** One line for people. */
  text: string;
  /** The same for each time that this change is told. */
  id: string;
  event: VerdictNews['event'];
  cluster: string;
  verdict: HealthVerdict;
  /** The verdict that was told last; null where none was. */
  previous: HealthVerdict | null;
  time: string;
  findings: { code: string; host: string | null; evidence: string; hint: string; since: string | null }[];
  /** How many more findings there are. */
  more: number;
  /** What the check before has found, and this one has not. */
  over: { code: string; host: string | null }[];
}

/** Puts a change of the verdict into words. Pure. What hosts have said is on one line, and without control characters. */
export function healthMessage(news: VerdictNews): HealthMessage {
  const line = headline(news);
  return { subject: `[${news.cluster}] ${line}`, text: [line, '', ...body(news)].join('\n'), json: jsonOf(news, line) };
}

/**
 * What an incoming webhook of a chat program takes: Slack, Mattermost and those that go by the same form. Texts of hosts make no link, no
 * mention and no alarm for everybody there: `&`, `<` and `>` are escaped as Slack wants it, and words behind an `@` are no names.
 */
export function chatBody({ text }: HealthMessage): { text: string } {
  const plain = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return { text: plain.replace(/@(?=\w)/g, '@\u200b') };
}

const STATES: Record<HealthVerdict, string> = {
  ok: 'healthy',
  degraded: 'degraded',
  down: 'down',
  unknown: 'out of sight: nothing could be looked at',
};

function headline({ event, cluster, verdict, previous, findings, more }: VerdictNews): string {
  if (event === 'recovered')
    return `${cluster} is healthy again${previous === null ? '' : `, it was ${named(previous)}`}`;
  const count = findings.length + more;
  const found = count === 0 ? '' : `, ${count} ${count === 1 ? 'finding' : 'findings'}`;
  const still = event === 'reminder' || previous === verdict ? 'still ' : '';
  const before = previous === null || previous === verdict ? '' : `, it was ${named(previous)}`;
  return `${cluster} is ${still}${STATES[verdict]}${found}${before}`;
}

function named(verdict: HealthVerdict): string {
  return verdict === 'unknown' ? 'out of sight' : STATES[verdict];
}

function body({ at, findings, more, over, previousAt }: VerdictNews): string[] {
  const gone = over.map(({ code, host }) => (host === null ? code : `${code} on ${host}`)).join(', ');
  return [
    ...findings.flatMap((finding) => described(finding, previousAt ?? 0)),
    ...(more === 0 ? [] : [`and ${more} more`]),
    ...(gone === '' ? [] : [`No longer found: ${gone}`]),
    ...(findings.length + more + over.length === 0 ? [] : ['']),
    `Checked ${minute(at)} UTC. \`kubewright health\` shows the whole report.`,
  ];
}

/** @param toldAt when the channel was told last */
function described({ code, host, evidence, hint, since }: HealthFinding, toldAt: number): string[] {
  const where = host === null ? '' : `${host}: `;
  const seen = oneLine(evidence);
  const what = host !== null && seen.startsWith(where) ? seen.slice(where.length) : seen;
  const age = since === undefined ? '' : since > toldAt ? ' (new)' : ` (since ${minute(since)} UTC)`;
  return [`${code} ${where}${what}${age}`, ...(hint === '' ? [] : [`  ${oneLine(hint)}`])];
}

function jsonOf(news: VerdictNews, text: string): HealthMessageJson {
  const { id, event, cluster, verdict, previous, at, findings, more, over } = news;
  return {
    text,
    id,
    event,
    cluster,
    verdict,
    previous,
    time: new Date(at).toISOString(),
    findings: findings.map(({ code, host, evidence, hint, since }) => ({
      code,
      host,
      evidence: oneLine(evidence),
      hint: oneLine(hint),
      since: since === undefined ? null : new Date(since).toISOString(),
    })),
    more,
    over: over.map(({ code, host }) => ({ code, host })),
  };
}

function oneLine(text: string): string {
  return text.replace(/[\p{C}\s]+/gu, ' ').trim();
}

function minute(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ');
}
