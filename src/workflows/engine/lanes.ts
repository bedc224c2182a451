import type { Unit } from './units.js';

/** Who is under way in each lane. A step that is blocked stays in its lane: something is wrong with what it did there. */
export class Lanes {
  private readonly inside = new Map<string, Set<string>>();

  hasRoomFor(step: Unit): boolean {
    if (step.lane === undefined) return true;
    return (this.inside.get(step.lane.name)?.size ?? 0) < step.lane.limit;
  }

  /** @returns whether there was room */
  enter(step: Unit): boolean {
    if (step.lane === undefined) return true;
    if (!this.hasRoomFor(step)) return false;
    const lane = this.inside.get(step.lane.name) ?? new Set();
    this.inside.set(step.lane.name, lane.add(step.id));
    return true;
  }

  leave(step: Unit): void {
    if (step.lane !== undefined) this.inside.get(step.lane.name)?.delete(step.id);
  }
}
