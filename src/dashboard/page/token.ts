const KEY = 'kubewright-token';

/**
 * The token of the address that a person has opened, kept for this tab, so that it may be loaded again; the address loses it at once,
 * for addresses are shown, copied and remembered.
 */
export function takeToken(): string {
  const given = /^#token=([\w-]+)$/.exec(location.hash)?.[1];
  if (given !== undefined) {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, '', '#/');
  }
  return sessionStorage.getItem(KEY) ?? '';
}
