import type { DrillReport } from '../plan/drill-report.js';
import { drawDrill, type Mark } from './drill-drawing.js';

const STYLE = `text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 } .scenario { font-weight: 600 } .faint { fill: #656d76; font-size: 11px }
.page { fill: #ffffff } .well { fill: #2da44e } .gap { fill: #cf222e } .break { stroke: #1f2328 } .moment { stroke: #8250df }
.axis { stroke: #d0d7de }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .faint { fill: #8d96a0 } .page { fill: #0d1117 } .break { stroke: #e6edf3 }
.moment { stroke: #a371f7 } .axis { stroke: #30363d } .well { fill: #238636 } .gap { fill: #f85149 } }`;

/**
 * A drill as a picture (SVG) that stands for itself, in light and dark. What is red is told in words, too, for whoever cannot see it.
 * Pure.
 */
export function renderDrillTimeline(report: DrillReport): string {
  const { width, height, title, words, marks } = drawDrill(report);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title words">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="words">${escaped(words)}</desc>`,
    `<style>${STYLE}</style>`,
    ...marks.map(written),
    '</svg>',
    '',
  ].join('\n');
}

function written({ tag, attributes, text }: Mark): string {
  const pairs = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(String(value))}"`);
  const open = `<${tag}${pairs.join('')}`;
  return text === undefined ? `${open}/>` : `${open}>${escaped(text)}</${tag}>`;
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Characters that no XML may hold are left out. */
function escaped(words: string): string {
  return words.replaceAll(/[^\x20-\uFFFD]/g, '').replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
