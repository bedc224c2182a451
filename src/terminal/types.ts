import type { RunSnapshot } from '../engine/types.js';
import type { Addresses } from './alike.js';

/** What the views need of a moment of an install; drawing is a pure function of it. */
export type InstallView = Pick<RunSnapshot, 'progress' | 'activities'> &
  Partial<Pick<RunSnapshot, 'runId' | 'operation'>> & {
    /** Of the hosts, as far as they are known: what is said of several hosts is compared without them. */
    addresses?: Addresses;
  };

export type StyleName = 'good' | 'bad' | 'busy' | 'warn' | 'faint' | 'strong';

/** A piece of a line in one style. */
export interface Span {
  text: string;
  style?: StyleName;
}

export type Line = Span[];
