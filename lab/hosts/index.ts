/** Rehearsal hosts on one machine: what tests, benchmarks and the chaos runner use. See docs/lab.md. */
export { clearLeftovers, takeDown, takeDownAll } from './down.js';
export { type ExecOptions, LabHost } from './host.js';
export { Lab, openLab } from './lab.js';
export { type LabFiles, labDirectory, labFiles } from './paths.js';
export type { GuestSpec, HostKind, LabUpOptions, PlannedHost, Topology } from './types.js';
export { ARCHITECTURES, DISTRIBUTIONS, HOST_KINDS } from './types.js';
export { labUp } from './up.js';
