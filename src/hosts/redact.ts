/**
 * The one redactor. Everything captured on a host passes it before it becomes a heartbeat, an error or a line on a
 * terminal. It works on whole lines, because a secret that is split across two chunks of a stream is in neither.
 */
const REDACTED = '[redacted]';

/** Passwords, for as long as this process lives: no rule knows them by their form. There are as many as the files name. */
const passwords = new Set<string>();

/**
 * What was minted for a step or delivered by one, such as tokens and keys. A worker that lives for months makes them without
 * end and looks for each in every line, so the oldest are forgotten: they are of no use any more, and known by their form.
 */
const minted = new Set<string>();

/** The parts of some sixty private keys, or the tokens of a thousand joins. */
const MINTED_LIMIT = 2_000;

/** A shorter value is looked for as a word of its own: within others it would blank out ordinary text. */
const SHORTEST_PART = 4;

/** All of them as patterns or plain text. Longest first, so that a prefix cannot shield a value. */
let known: (string | RegExp)[] = [];

/**
 * Redacts this password wherever it appears from now on in this process. Of a value with several lines, each line of at
 * least eight characters counts as well, for output is redacted line by line.
 */
export function registerSecret(value: string): void {
  remember(passwords, value);
}

/** As `registerSecret`, for what is made anew again and again: the latest 2 000 are remembered. */
export function registerMinted(value: string): void {
  remember(minted, value);
}

/**
 * Registers what is secret in a file: a file of one line is a secret as a whole; of several lines (a configuration, a
 * key) only words that look like key material count, for its other lines are ordinary text.
 */
export function registerSecretFile(content: string): void {
  const trimmed = content.trim();
  const isMaterial = (word: string): boolean => /^[A-Za-z0-9+_=-][A-Za-z0-9+/_=-]{31,}$/.test(word);
  const secrets = trimmed.includes('\n') ? trimmed.split(/[\s"',]+/).filter(isMaterial) : [trimmed];
  for (const secret of secrets) registerMinted(secret);
}

/** How many values are looked for in each line. */
export function knownSecrets(): number {
  return known.length;
}

function remember(values: Set<string>, value: string): void {
  const trimmed = value.trim();
  if (trimmed === '') return;
  const lines = trimmed.split(/\r?\n/).filter((line) => line.length >= 8 && !line.startsWith('-----'));
  const parts = (lines.length > 1 ? lines : [trimmed]).flatMap((part) => [part, JSON.stringify(part).slice(1, -1)]);
  const isNew = parts.some((part) => !values.has(part));
  for (const part of parts) {
    // Used again, so it is the youngest now.
    values.delete(part);
    values.add(part);
  }
  for (const oldest of minted) {
    if (minted.size <= MINTED_LIMIT) break;
    minted.delete(oldest);
  }
  if (!isNew) return;
  const all = [...new Set([...passwords, ...minted])].sort((a, b) => b.length - a.length);
  known = all.map((part) => (part.length < SHORTEST_PART ? wordOf(part) : part));
}

function wordOf(value: string): RegExp {
  const escaped = value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}_])${escaped}(?![\\p{L}\\p{N}_])`, 'gu');
}

const RULES: readonly [RegExp, string][] = [
  // kubeadm: `--token X`, `--token=X`, and quoted forms; likewise for certificate keys and CA hashes.
  [
    /(--(?:token|certificate-key|discovery-token-ca-cert-hash|discovery-token)[=\s]+)("[^"]*"|'[^']*'|\S+)/g,
    `$1${REDACTED}`,
  ],
  // Bootstrap tokens: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/#token-format
  [/(?<![A-Za-z0-9.-])[a-z0-9]{6}\.[a-z0-9]{16}(?![A-Za-z0-9.-])/g, REDACTED],
  // kubeadm's certificate key: 32 bytes in hex. Digests (`sha256:…`) are no secrets and must stay readable.
  [/(?<![A-Za-z0-9]|sha256:|sha256-)[0-9a-fA-F]{64}(?![A-Za-z0-9])/g, REDACTED],
  [/\b(authorization["']?\s*[:=]\s*["']?)[^\r\n"']+/gi, `$1${REDACTED}`],
  [/\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}/gi, `$1${REDACTED}`],
  // JSON web tokens: service account tokens.
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+/g, REDACTED],
  [
    /((?:client-key-data|certificateKey|password|passphrase)["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,}]+)/gi,
    `$1${REDACTED}`,
  ],
  [/(^[\s-]*token["']?\s*:\s*)("[^"]*"|'[^']*'|\S+)/gim, `$1${REDACTED}`],
];

/** Whatever a rule needs to see; most lines hold none of it, and there may be many. */
const WORTH_A_LOOK = /token|key|auth|bearer|pass|eyJ|LS0tLS1CRUdJTi|-----BEGIN|[0-9a-f]{64}|[a-z0-9]{6}\.[a-z0-9]{16}/i;

const PRIVATE_KEY_BEGIN = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/;
const PRIVATE_KEY_END = /-----END [A-Z0-9 ]*PRIVATE KEY-----/;
/** `-----BEGIN ` in base64, whatever follows: certificates start so too, which the decoded head tells apart. */
const BASE64_PEM = /LS0tLS1CRUdJTi[A-Za-z0-9+/]+=*/;
const BASE64_LINE = /^\s*[A-Za-z0-9+/]{16,}=*\s*$/;

/** Redacts a stream of complete lines; it remembers whether it is inside of a private key. */
export class LineRedactor {
  #inside: 'pem' | 'base64' | undefined;

  /** One line without its line end. Lines inside of a private key come back as `[redacted]`. */
  line(text: string): string {
    if (this.#inside === 'pem') return this.#insidePem(text);
    if (this.#inside === 'base64') {
      if (BASE64_LINE.test(text)) return REDACTED;
      this.#inside = undefined;
    }
    const line = redactKnown(text);
    return WORTH_A_LOOK.test(line) ? redactPatterns(this.#blocks(line)) : line;
  }

  #insidePem(text: string): string {
    const end = PRIVATE_KEY_END.exec(text);
    if (end === null) return REDACTED;
    this.#inside = undefined;
    return REDACTED + this.line(text.slice(end.index + end[0].length));
  }

  #blocks(text: string): string {
    const begin = PRIVATE_KEY_BEGIN.exec(text);
    if (begin !== null) {
      const rest = text.slice(begin.index + begin[0].length);
      this.#inside = 'pem';
      return text.slice(0, begin.index) + this.#insidePem(rest);
    }
    const base64 = BASE64_PEM.exec(text);
    if (base64 === null || !isPrivateKey(base64[0])) return text;
    const rest = text.slice(base64.index + base64[0].length);
    if (rest.trim() === '' && text.slice(0, base64.index).trim() === '') this.#inside = 'base64';
    return text.slice(0, base64.index) + REDACTED + this.#blocks(rest);
  }
}

/** Redacts a whole text. Idempotent. */
export function redact(text: string): string {
  const redactor = new LineRedactor();
  return text
    .split('\n')
    .map((line) => redactor.line(line))
    .join('\n');
}

function isPrivateKey(base64: string): boolean {
  return Buffer.from(base64.slice(0, 64), 'base64').toString('latin1').includes('PRIVATE');
}

function redactKnown(line: string): string {
  let text = line;
  for (const value of known) {
    if (typeof value !== 'string') text = text.replace(value, REDACTED);
    else if (text.includes(value)) text = text.replaceAll(value, REDACTED);
  }
  return text;
}

function redactPatterns(line: string): string {
  let text = line;
  for (const [pattern, replacement] of RULES) text = text.replace(pattern, replacement);
  return text;
}
