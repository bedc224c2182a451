/** Whether cluster.yaml asks for one of kubeadm's own checks to be ignored. */
export function ignores({ ignorePreflightErrors }: { ignorePreflightErrors: string[] }, check: string): boolean {
  return ignorePreflightErrors.some((name) => ['all', check.toLowerCase()].includes(name.toLowerCase()));
}
