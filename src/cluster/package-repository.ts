/** `spec.packages.repository`, resolved: where hosts get the packages of Kubernetes. */
export interface PackageRepository {
  /** Its address; `{minor}` and `{format}` stand for the minor of Kubernetes and the form of the packages. */
  url: string;
  /** What signs it: an OpenPGP key in ASCII armour, as the file named it. */
  key: string;
  /** Certificate authorities to trust for it, PEM; null: the hosts' own. */
  ca: string | null;
  /** Name of the variable in the worker's environment that holds NAME:PASSWORD; null: it wants none. */
  loginEnv: string | null;
}

export type PackageFormat = 'deb' | 'rpm';

/** Words in braces that an address may have. */
export const PLACEHOLDERS = ['{minor}', '{format}'] as const;

/**
 * Address of the packages for a version of Kubernetes, with a slash at its end.
 *
 * @param kubernetesVersion without a leading v, such as `1.37.2`
 */
export function repositoryUrl(
  { url }: Pick<PackageRepository, 'url'>,
  kubernetesVersion: string,
  format: PackageFormat,
): string {
  const minor = kubernetesVersion.split('.').slice(0, 2).join('.');
  const address = url.replaceAll('{minor}', minor).replaceAll('{format}', format);
  return address.endsWith('/') ? address : `${address}/`;
}

/** Host of an address as a certificate names it, without its port. */
export function hostOfUrl(url: string): string {
  return new URL(url).hostname;
}
