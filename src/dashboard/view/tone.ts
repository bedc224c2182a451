import type { StyleName } from '../../terminal/types.js';
import type { Tone } from '../told.js';

/** How the page shows what the terminal shows in a style. */
export function toneOf(style: StyleName): Tone {
  return style === 'strong' ? 'faint' : style;
}
