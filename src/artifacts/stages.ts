import type { Log } from './cache/cache.js';

/** How long one part of the work took. */
export interface Stage {
  title: string;
  seconds: number;
}

/** Counts the parts of a piece of work, says each when it begins, and remembers how long it took. */
export class Stages {
  readonly done: Stage[] = [];
  private started = 0;

  /**
   * @param total how many parts there will be, for `2/9`
   * @param log where to say so
   */
  constructor(
    private readonly total: number,
    private readonly log: Log,
  ) {}

  async run<T>(title: string, work: () => Promise<T>): Promise<T> {
    this.started += 1;
    this.log(`${title} … ${this.started}/${this.total}`);
    const begin = performance.now();
    try {
      return await work();
    } finally {
      this.done.push({ title, seconds: (performance.now() - begin) / 1000 });
    }
  }
}

/** One line a stage, the time right-aligned. */
export function stageTable(stages: Stage[]): string[] {
  return stages.map(({ title, seconds }) => `${seconds.toFixed(1).padStart(8)} s  ${title}`);
}
