import { h } from '/vendor/preact.js';
import type { Tone } from '../told.js';
import { SIGNS } from './words.js';

/** A word with the colour and the sign of its tone. */
export function Badge({ tone, children }: { tone: Tone; children: string }) {
  return (
    <span class={`badge ${tone}`}>
      <span aria-hidden="true">{SIGNS[tone]} </span>
      {children}
    </span>
  );
}

/** The sign alone, for where the words say it anyway. */
export function Sign({ tone }: { tone: Tone }) {
  return (
    <span class={`sign ${tone}`} aria-hidden="true">
      {SIGNS[tone]}
    </span>
  );
}
