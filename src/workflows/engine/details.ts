import { type BlockedStep, hasEnded, type RunProgress } from '../types.js';

/** Temporal's limit for a workflow's current details, with room for the notice at the end. */
const LIMIT = 20_000;
const OUTPUT_SHOWN = 800;
/** Longest cell of the table, before markup is escaped. */
const CELL = 400;
/** Blocked steps that the details of an ended run name. */
const CLOSED_NAMES = 20;

/**
 * What Temporal's UI shows above a workflow's history, in Markdown: what is blocked, why, and how to go on. At most 20
 * KB of UTF-8, whatever the steps' errors and outputs are.
 *
 * @param progress with the blocked steps that are known in full
 * @param counts of all steps, those of groups too
 * @param blocked how many steps are blocked in all
 * @param command that goes on with a run that was given up
 */
export function currentDetails(
  progress: RunProgress,
  { ended, steps }: { ended: number; steps: number } = countsOf(progress),
  blocked = progress.blocked.length,
  command = 'install',
): string {
  const counts = `${ended} of ${steps} steps have ended`;
  if (progress.state === 'aborted' || progress.state === 'cancelled') return closedDetails(progress, counts, command);
  if (blocked === 0) return `Cluster **${inline(progress.cluster)}**: ${progress.state}. ${counts}.`;
  const head = [
    `**${countOf(blocked)} blocked** in cluster **${inline(progress.cluster)}**; ${counts}, the others go on.`,
    '',
    '| Step | Host | What happened | What to do |',
    '| --- | --- | --- | --- |',
  ];
  const rows = progress.blocked.map(row);
  const sections = progress.blocked.map((step) => section(step, progress.cluster));
  return fitted([...head, ...rows, ''], sections, blocked);
}

function countsOf({ steps }: RunProgress): { ended: number; steps: number } {
  return { ended: steps.filter(hasEnded).length, steps: steps.length };
}

/** Nothing can be decided about a run that is ending, so it names no way to retry. */
function closedDetails(progress: RunProgress, counts: string, command: string): string {
  const names = progress.blocked.map((step) => inline(step.step));
  const more = names.length > CLOSED_NAMES ? ` and ${names.length - CLOSED_NAMES} more` : '';
  const blocked = names.length === 0 ? '' : ` Blocked until then: ${names.slice(0, CLOSED_NAMES).join(', ')}${more}.`;
  const rest =
    command === 'drill'
      ? 'What was broken is put back.'
      : `Nothing was rolled back; \`kubewright ${command}\` goes on from what stands on the hosts.`;
  return `Cluster **${inline(progress.cluster)}**: ${progress.state}. ${counts}.${blocked} ${rest}`;
}

function countOf(blocked: number): string {
  return blocked === 1 ? '1 step is' : `${blocked} steps are`;
}

function row(step: BlockedStep): string {
  const tried = step.retrying ? ' (still tried; it goes on by itself when that is over)' : '';
  const cells = [step.step, step.host ?? '', `${step.code}: ${step.message}${tried}`, step.hint];
  return `| ${cells.map((cell) => inline(cell.slice(0, CELL))).join(' | ')} |`;
}

function section(step: BlockedStep, cluster: string): string {
  const decision = JSON.stringify({ step: step.step, blocking: step.blocking });
  const skip = JSON.stringify({ step: step.step, blocking: step.blocking, reason: '…' });
  const lines = [
    `### ${inline(step.step)}`,
    '',
    step.retrying ? 'To try it at once, from a terminal' : 'When the cause is mended, try it again, from a terminal',
    '',
    fenced(`kubewright retry ${step.step} --cluster ${cluster}`),
    '',
    'or here: *More Actions*, *Send an Update* (without a worker: *Send a Signal*), `retry`, with',
    '',
    fenced(decision),
    '',
  ];
  if (step.skippable) lines.push('To leave it out: `skip` with', '', fenced(skip), '');
  if (step.output !== '') lines.push('Last lines of output:', '', fenced(step.output.slice(-OUTPUT_SHOWN)), '');
  return lines.join('\n');
}

/** Whole lines, then whole sections, while they fit: half a table row would be shown as text. */
function fitted(head: string[], sections: string[], all: number): string {
  const room = LIMIT - 200;
  let used = 0;
  const takes = (text: string): boolean => {
    used += bytes(text) + 1;
    return used <= room;
  };
  const lines = takeWhile(head, takes);
  const shown = lines.length === head.length ? takeWhile(sections, takes) : [];
  const text = [...lines, ...shown].join('\n');
  const left = all - shown.length;
  return left === 0 ? text : `${text}\n\n… and ${left} more; \`kubewright status\` shows them all.`;
}

function takeWhile(texts: string[], takes: (text: string) => boolean): string[] {
  const end = texts.findIndex((text) => !takes(text));
  return end < 0 ? texts : texts.slice(0, end);
}

/** Length in UTF-8. TextEncoder is not part of every workflow sandbox's types, and the count needs no encoder. */
function bytes(text: string): number {
  let count = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    count += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return count;
}

/**
 * One line without what would break a table or be read as markup. Commands that stand in backticks in our own hints stay
 * what they are in Markdown too; a backtick without its other half, or around what a table cannot hold, is only a letter.
 */
function inline(text: string): string {
  const parts = text.replace(/\s+/g, ' ').split(/(`[^`]+`)/);
  return parts.map((part, index) => (index % 2 === 1 && !/[|\\]/.test(part) ? part : escaped(part))).join('');
}

function escaped(text: string): string {
  return text.replace(/[\\|`*_<>[\]]/g, (character) => `\\${character}`);
}

function fenced(text: string): string {
  return `\`\`\`\n${text.replaceAll('```', "'''").trim()}\n\`\`\``;
}
