import { OPERATIONS } from '../plan/operations.js';
import { ToldCauses } from './alike.js';
import { Chronicle } from './events.js';
import { renderFrame } from './frame.js';
import { LiveView } from './live.js';
import type { Output } from './output.js';
import { plainLines } from './plain.js';
import type { InstallView } from './types.js';

/** Shows an install as it goes, in the form that suits whoever reads. */
export interface Reporter {
  update(snapshot: InstallView): void;
  /** A sentence beside the progress, such as that the server does not answer. */
  say(text: string): void;
  /** Must be called on every way out: it gives the terminal back. */
  close(): void;
}

/** A frame at least this often, so that the times move. */
const TICK_MS = 250;

/** Live frames for a person at a terminal, appended lines for a log, one object a line for a program. */
export function createReporter(output: Output, now: () => number = Date.now): Reporter {
  if (output.interactive) return new LiveReporter(output, now);
  return new EventReporter(output, now);
}

class LiveReporter implements Reporter {
  private readonly view: LiveView;
  private readonly timer: NodeJS.Timeout;
  private latest: InstallView | undefined;
  private readonly redraw = () => this.draw();
  /** A second Ctrl-C ends the process at once: the cursor must not stay hidden behind it. */
  private readonly giveBack = () => this.view.close();

  constructor(
    private readonly output: Output,
    private readonly now: () => number,
  ) {
    this.view = new LiveView(output.options.stdout);
    this.timer = setInterval(this.redraw, TICK_MS);
    output.options.stdout.on('resize', this.redraw);
    output.divert((text) => this.say(text));
    process.once('exit', this.giveBack);
  }

  update(snapshot: InstallView): void {
    this.latest = snapshot;
    this.draw();
  }

  say(text: string): void {
    this.view.print(text.split('\n'));
    this.draw();
  }

  close(): void {
    clearInterval(this.timer);
    this.output.options.stdout.off('resize', this.redraw);
    this.output.divert(undefined);
    process.off('exit', this.giveBack);
    this.draw();
    this.view.close();
  }

  private draw(): void {
    if (this.latest === undefined) return;
    const { theme } = this.output;
    this.view.draw(renderFrame(this.latest, { theme, now: this.now(), ...this.view.size() }));
  }
}

class EventReporter implements Reporter {
  private readonly chronicle = new Chronicle();
  private readonly causes = new ToldCauses();

  constructor(
    private readonly output: Output,
    private readonly now: () => number,
  ) {}

  update(snapshot: InstallView): void {
    const events = this.chronicle.next(snapshot, this.now());
    for (const event of events) {
      if (this.output.json) {
        this.output.object({ cluster: snapshot.progress.cluster, ...event });
        continue;
      }
      const { theme } = this.output;
      const { noun } = OPERATIONS[snapshot.operation ?? 'install'].words;
      const now = this.now();
      const at = { cluster: snapshot.progress.cluster, startedAt: startOf(snapshot) ?? now, now };
      const isTrouble = event.type === 'blocked' || event.type === 'failed';
      const like = isTrouble ? this.causes.before(event.type, event, snapshot.addresses) : undefined;
      for (const line of plainLines(event, { theme, ...at, like, noun })) this.output.line(line);
    }
  }

  say(text: string): void {
    this.output.note(text);
  }

  close(): void {}
}

function startOf(snapshot: InstallView): number | undefined {
  const starts = snapshot.progress.steps.flatMap((step) => step.startedAt ?? []);
  return starts.length === 0 ? undefined : Math.min(...starts);
}
