/** Read at every boot as well (sysusers.d(5)). */
export function accountPath(name: string): string {
  return `/etc/sysusers.d/kubewright-${name}.conf`;
}

/** A system account without a home and without a shell. */
export function renderAccount(name: string): string {
  return `# Written by Kubewright.\nu ${name} - "etcd" -\n`;
}
