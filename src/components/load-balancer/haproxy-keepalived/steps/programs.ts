import type { StepContext } from '../../../../activities/types.js';
import { type BundledPrograms, programsOfBundle } from '../../vrrp/steps/programs.js';
import type { Service } from '../render/units.js';
import { isFromBundle } from '../settings.js';

export type { BundledPrograms } from '../../vrrp/steps/programs.js';

/**
 * What the bundle has for the step's host; undefined where the distribution's packages are used.
 *
 * @throws KubewrightError as `programsOfBundle`
 */
export async function bundledPrograms(context: StepContext): Promise<BundledPrograms | undefined> {
  return isFromBundle(context.cluster) ? programsOfBundle(context, ['haproxy', 'keepalived']) : undefined;
}

/** The program that a service runs: a path for the bundle's, else a name that is found on PATH. */
export function commandOf(service: Service, programs: BundledPrograms | undefined): string {
  return programs === undefined ? service : `${programs.release}/${service}`;
}
