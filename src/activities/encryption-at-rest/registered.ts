import { registerMinted, registerSecretFile } from '../../hosts/redact.js';

/**
 * From here on nothing shows the keys of this file, whose text has come into this process's memory. They are taken where they
 * stand: of words alone, one that begins with a slash might be a path.
 */
export function registerKeys(text: string): void {
  registerSecretFile(text);
  for (const [, secret = ''] of text.matchAll(/secret: *["']?([A-Za-z0-9+/=]{20,})/g)) registerMinted(secret);
}
