import { stripVTControlCharacters } from 'node:util';
import { redact } from './redact.js';

/**
 * What a host printed, for an error: redacted, without escape sequences and control characters, at most so many
 * characters of its end.
 */
export function shown(text: string, most = 2000): string {
  const plain = stripVTControlCharacters(text.replace(/\r\n?/g, '\n'))
    .replaceAll('\t', '    ')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed here
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');
  return redact(plain).trim().slice(-most);
}
