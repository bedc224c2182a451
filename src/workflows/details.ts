import type { BlockedStep, InstallProgress } from './types.js';

/** Temporal's limit for a workflow's current details, with room for the notice at the end. */
const LIMIT = 20_000;
const OUTPUT_SHOWN = 800;

/**
 * What Temporal's UI shows above a workflow's history, in Markdown: what is blocked, why, and how to go on. At most 20
 * KB of UTF-8, whatever the steps' errors and outputs are.
 */
export function currentDetails(progress: InstallProgress): string {
  const ended = progress.steps.filter((step) => step.state === 'done' || step.state === 'skipped').length;
  const counts = `${ended} of ${progress.steps.length} steps have ended`;
  if (progress.blocked.length === 0) return `Cluster **${inline(progress.cluster)}**: ${progress.state}. ${counts}.`;
  const head = [
    `**${countOf(progress.blocked.length)} blocked** in cluster **${inline(progress.cluster)}**; ${counts}, the others go on.`,
    '',
    '| Step | Host | What happened | What to do |',
    '| --- | --- | --- | --- |',
  ];
  const rows = progress.blocked.map(row);
  const sections = progress.blocked.map((step) => section(step, progress.cluster));
  return fitted([...head, ...rows, ''], sections);
}

function countOf(blocked: number): string {
  return blocked === 1 ? '1 step is' : `${blocked} steps are`;
}

function row(step: BlockedStep): string {
  const cells = [step.step, step.host ?? '', `${step.code}: ${step.message}`, step.hint];
  return `| ${cells.map((cell) => inline(cell).slice(0, 400)).join(' | ')} |`;
}

function section(step: BlockedStep, cluster: string): string {
  const decision = JSON.stringify({ step: step.step, blocking: step.blocking });
  const skip = JSON.stringify({ step: step.step, blocking: step.blocking, reason: '…' });
  const lines = [
    `### ${inline(step.step)}`,
    '',
    'When the cause is mended, try it again, from a terminal',
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
function fitted(head: string[], sections: string[]): string {
  const room = LIMIT - 200;
  let used = 0;
  const takes = (text: string): boolean => {
    used += bytes(text) + 1;
    return used <= room;
  };
  const lines = takeWhile(head, takes);
  const shown = lines.length === head.length ? takeWhile(sections, takes) : [];
  const text = [...lines, ...shown].join('\n');
  const left = sections.length - shown.length;
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

/** One line without what would break a table or be read as markup. */
function inline(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\|`*_<>[\]]/g, (character) => `\\${character}`);
}

function fenced(text: string): string {
  return `\`\`\`\n${text.replaceAll('```', "'''").trim()}\n\`\`\``;
}
