import type { Checked } from './index.js';
import type { Problem } from './problem.js';

/**
 * What could not be asked, or was asked and not answered. It is a problem of its own: a check that saw nothing would pass.
 */
export function checkUnknowns({ facts }: Checked): Problem[] {
  const gaps = [
    ...facts.unknowns.filter(({ tool }) => !facts.missingTools.includes(tool)).map(({ what, why }) => ({ what, why })),
    ...(facts.disks.length === 0 ? [{ what: 'its disks', why: 'nothing was told of them' }] : []),
    ...(facts.cgroupVersion === undefined ? [{ what: 'its cgroups', why: 'nothing was told of them' }] : []),
    ...(facts.now === 0 ? [{ what: 'its clock', why: 'it does not tell the time' }] : []),
  ];
  const said = new Set(facts.unknowns.map(({ what }) => what));
  return gaps
    .filter(({ what }, index) => index < facts.unknowns.length || !said.has(what))
    .map(({ what, why }) => ({
      code: 'KW343',
      what: `could not look at ${what}: ${why}`,
      hint: 'Run the same command as root on the host, and mend what it complains of.',
    }));
}
