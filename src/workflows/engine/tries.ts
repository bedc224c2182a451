/**
 * A step is tried twice by itself; the second time after a pause in which a passing cause may pass. Shared with those who
 * read a run from its history.
 */
export const TRIES = 2;
