/** Said behind a schedule that the embedded server keeps: what it needs does not come back by itself. */
export const BACKGROUND_NOTE =
  'The embedded server and a worker go on in the background on this machine. They do not come back by themselves ' +
  'after a restart of it; where what is scheduled must not stop, make them a service (`kubewright server stop`, then `sudo ' +
  'kubewright server install-service`), or use a Temporal server that stays (docs/teams.md).';
