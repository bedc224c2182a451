import type { Leftover } from '../../../components/leftovers.js';
import { BEFORE_DIRECTORY } from '../../before/places.js';

/** Names of one kind among these. */
export function namesOf(leftovers: readonly Leftover[], kind: Leftover['kind']): string[] {
  return [...new Set(leftovers.filter((each) => each.kind === kind).map(({ name }) => name))];
}

/**
 * Bash that the parts of the undoing share. `known` is true where what the host was before is written down, and `had KIND NAME` where
 * that has such a thing; `of KIND` prints its names and values. Where nothing is written down nothing is known: `had` says no then, so
 * whoever takes something away on that word asks `known` first.
 */
export const WORDS = `shopt -s nullglob
before=${BEFORE_DIRECTORY}
say() { echo "kubewright: $*"; }
known() { [ -s "$before/state" ]; }
had() { known && awk -F '\\t' -v kind="$1" -v name="$2" '$1 == kind && $2 == name {found = 1} END {exit !found}' "$before/state"; }
of() { ! known || awk -F '\\t' -v OFS='\\t' -v kind="$1" '$1 == kind {print $2, $3}' "$before/state"; }
`;
