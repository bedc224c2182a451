import type { Problem } from '../problem.js';

/** A cluster of a thousand hosts, each with labels and SSH settings of its own, needs a third of this. */
export const LARGEST_FILE = 1024 * 1024;

// YAML 1.2 section 5.1: the characters that a YAML stream may hold, turned round; and halves of surrogate pairs.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const NOT_YAML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]|\p{Surrogate}/u;

/** Text, or the one thing that makes reading on pointless. */
export type Decoded = { text: string } | { problem: Problem };

/** UTF-8 bytes to text, without byte-order mark and with line ends that YAML counts. */
export function decodeText(bytes: Uint8Array, file: string): Decoded {
  if (bytes.length > LARGEST_FILE) {
    return unreadable(file, '', 'too-large', `is larger than ${LARGEST_FILE / 1024} KiB`, 'a cluster.yaml');
  }
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return unreadable(file, '', 'encoding', 'is written in UTF-16', 'UTF-8: save it again with that encoding');
  }
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const broken = firstBrokenByte(text, bytes);
  if (broken !== undefined) {
    return unreadable(
      file,
      text.slice(0, broken),
      'encoding',
      'holds a byte that is not UTF-8',
      'a text file in UTF-8',
    );
  }
  return normaliseText(text, file);
}

/** The same for text that comes as a string. */
export function normaliseText(raw: string, file: string): Decoded {
  if (raw.length > LARGEST_FILE) {
    return unreadable(file, '', 'too-large', `is larger than ${LARGEST_FILE / 1024} KiB`, 'a cluster.yaml');
  }
  // A byte-order mark is no column of the first line. A lone carriage return (old Mac files) ends a line in YAML 1.2,
  // but not for the parser.
  const text = raw.replace(/^\ufeff/, '').replace(/\r(?!\n)/g, '\n');
  const control = NOT_YAML.exec(text);
  if (control !== null) {
    const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    return unreadable(file, text.slice(0, control.index), 'encoding', `holds the character U+${code}`, 'a text file');
  }
  return { text };
}

/** Offset in the text of the first U+FFFD that the decoder put in place of broken bytes. */
function firstBrokenByte(text: string, bytes: Uint8Array): number | undefined {
  let offset = 0;
  let index = -1;
  for (let from = 0; ; from = index + 1) {
    index = text.indexOf('\ufffd', from);
    if (index === -1) return undefined;
    offset += Buffer.byteLength(text.slice(from, index));
    if (bytes[offset] !== 0xef || bytes[offset + 1] !== 0xbf || bytes[offset + 2] !== 0xbd) return index;
    offset += 3;
  }
}

function unreadable(file: string, before: string, code: string, message: string, expected: string): Decoded {
  const lines = before.split('\n');
  const column = (lines.at(-1)?.length ?? 0) + 1;
  const place = { file, line: lines.length, column, path: '' };
  return { problem: { severity: 'error', code, ...place, message: `the file ${message}`, found: '', expected } };
}
