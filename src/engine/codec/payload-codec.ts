import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type DataConverter, METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import { decode, encode } from '@temporalio/common/lib/encoding.js';
import { KubewrightError, messageOf } from '../../errors.js';
import { GzipCodec } from './compress.js';
import { PayloadMessage } from './payload-message.js';

const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
const KEY_BYTES = 32;
/** Of AES-GCM (NIST SP 800-38D): 96 bits of nonce, never used twice with one key, and a full-length tag. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts every payload (inputs, results, heartbeats, memo, details) with AES-256-GCM, so that a stolen history or
 * database shows ids, types and times only. Payloads in other encodings pass: what an operator types into Temporal's UI
 * arrives in clear.
 *
 * The first key encrypts; each of them decrypts what was encrypted with it, so that a key can be replaced while runs and
 * histories of the former one are there.
 */
export class AesGcmCodec implements PayloadCodec {
  /** Tells keys apart without telling the key; of the one that encrypts. */
  readonly keyId: string;
  private readonly keys: ReadonlyMap<string, Buffer>;

  constructor(
    private readonly key: Buffer,
    ...former: Buffer[]
  ) {
    this.keyId = idOf(key);
    this.keys = new Map([key, ...former].map((each) => [idOf(each), each]));
  }

  /** Of all keys, the one that encrypts first. */
  get keyIds(): string[] {
    return [...this.keys.keys()];
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => ({
      metadata: { [METADATA_ENCODING_KEY]: encode(ENCODING), [KEY_ID]: encode(this.keyId) },
      data: this.encrypt(PayloadMessage.encode(payload).finish()),
    }));
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      if (!isEncrypted(payload)) return payload;
      return PayloadMessage.decode(this.decrypt(payload));
    });
  }

  private encrypt(plain: Uint8Array): Uint8Array {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce);
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  private decrypt(payload: Payload): Uint8Array {
    const data = Buffer.from(payload.data ?? []);
    const usedKey = keyIdOf(payload);
    try {
      const decipher = createDecipheriv(
        'aes-256-gcm',
        this.keys.get(usedKey) ?? this.key,
        data.subarray(0, NONCE_BYTES),
      );
      decipher.setAuthTag(data.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(data.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch (cause) {
      const ours = [...this.keys.keys()].join(', ');
      throw foreignKey(`A payload was encrypted with key ${usedKey}, ours is ${ours}`, cause);
    }
  }
}

function idOf(key: Buffer): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 12);
}

function keyIdOf(payload: Payload): string {
  const id = payload.metadata?.[KEY_ID];
  return id === undefined ? 'none' : decode(id);
}

function isEncrypted(payload: Payload): boolean {
  const encoding = payload.metadata?.[METADATA_ENCODING_KEY];
  return encoding !== undefined && decode(encoding) === ENCODING;
}

function foreignKey(message: string, cause?: unknown): KubewrightError {
  return new KubewrightError('KW512', message, {
    hint: 'Give client and worker the KUBEWRIGHT_PAYLOAD_KEY with which the install was started, behind a comma where another one encrypts by now.',
    cause,
  });
}

/** Who has no key encrypts nothing, and is told what it is that cannot be read. */
class NoKeyCodec implements PayloadCodec {
  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads;
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    const encrypted = payloads.find(isEncrypted);
    if (encrypted === undefined) return payloads;
    throw foreignKey(`A payload was encrypted with key ${keyIdOf(encrypted)}, and no payload key is set here`);
  }
}

/** The converter of clients and workers without a payload key. */
export const WITHOUT_KEY: DataConverter = { payloadCodecs: [new GzipCodec(), new NoKeyCodec()] };

/** Module with the failure converter that encrypts messages and stack traces too; workflows need it in their bundle. */
export const FAILURE_CONVERTER_PATH = failureConverterPath();

function failureConverterPath(): string {
  const compiled = fileURLToPath(new URL('./failure-converter.cjs', import.meta.url));
  return existsSync(compiled) ? compiled : compiled.replace(/cjs$/, 'cts');
}

/**
 * The converter of client and worker: undefined without a key (see WITHOUT_KEY), else one that encrypts with
 * `KUBEWRIGHT_PAYLOAD_KEY` (32 bytes in base64) or the file that `KUBEWRIGHT_PAYLOAD_KEY_FILE` names. Either may hold
 * several keys, with commas or spaces or on lines of their own: the first encrypts, all decrypt.
 *
 * @throws KubewrightError KW511 when one of them is no key
 */
export async function dataConverterFrom(env: NodeJS.ProcessEnv): Promise<DataConverter | undefined> {
  const text = await keyText(env);
  if (text === undefined) return undefined;
  const texts = text.split(/[\s,]+/).filter((each) => each !== '');
  const [key, ...former] = texts.map((each, index) => keyOf(each, texts.length === 1 ? '' : ` number ${index + 1}`));
  if (key === undefined) throw noKey('The payload key is empty');
  // Encoded in this order: what is encrypted cannot be made smaller.
  const payloadCodecs = [new GzipCodec(), new AesGcmCodec(key, ...former)];
  return { payloadCodecs, failureConverterPath: FAILURE_CONVERTER_PATH };
}

function keyOf(text: string, which: string): Buffer {
  const key = Buffer.from(text, 'base64');
  if (key.length !== KEY_BYTES) throw noKey(`The payload key${which} has ${key.length} bytes, not ${KEY_BYTES}`);
  return key;
}

function noKey(message: string): KubewrightError {
  return new KubewrightError('KW511', message, { hint: 'Make one with `openssl rand -base64 32`.' });
}

/** Ids of the keys that a converter has, the one that encrypts first; none when it does not encrypt. */
export function payloadKeyIds(converter: DataConverter | undefined): string[] {
  const codec = converter?.payloadCodecs?.find((each) => each instanceof AesGcmCodec);
  return codec?.keyIds ?? [];
}

async function keyText(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { KUBEWRIGHT_PAYLOAD_KEY: key, KUBEWRIGHT_PAYLOAD_KEY_FILE: file } = env;
  if (key) return key;
  if (!file) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new KubewrightError('KW511', `The payload key cannot be read: ${messageOf(cause)}`, {
      hint: 'Check KUBEWRIGHT_PAYLOAD_KEY_FILE.',
      cause,
    });
  }
}
