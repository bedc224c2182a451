/** The unit's name, as systemctl takes it. */
export const UNIT_NAME = 'kubewright.service';
/** Where an administrator's units are, see systemd.unit(5). */
export const UNIT_PATH = `/etc/systemd/system/${UNIT_NAME}`;
/** What the service's worker finds in its environment: root's alone, for it may hold secrets. */
export const ENVIRONMENT_PATH = '/etc/kubewright/service.env';
/** Stands in what Kubewright wrote: a file without it is somebody else's, and stays. */
export const MARK = 'Written by Kubewright';
