import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type DataConverter, METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import { decode, encode } from '@temporalio/common/lib/encoding.js';
import protobuf from '@temporalio/proto';
import { KubewrightError, messageOf } from '../../errors.js';

const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
const KEY_BYTES = 32;
/** Of AES-GCM (NIST SP 800-38D): 96 bits of nonce, never used twice with one key, and a full-length tag. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const PayloadMessage = protobuf.temporal.api.common.v1.Payload;

/**
 * Encrypts every payload (inputs, results, heartbeats, memo, details) with AES-256-GCM, so that a stolen history or
 * database shows ids, types and times only. Payloads in other encodings pass: what an operator types into Temporal's UI
 * arrives in clear.
 */
export class AesGcmCodec implements PayloadCodec {
  /** Tells keys apart without telling the key. */
  private readonly keyId: string;

  constructor(private readonly key: Buffer) {
    this.keyId = createHash('sha256').update(key).digest('hex').slice(0, 12);
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => ({
      metadata: { [METADATA_ENCODING_KEY]: encode(ENCODING), [KEY_ID]: encode(this.keyId) },
      data: this.encrypt(PayloadMessage.encode(payload).finish()),
    }));
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      const encoding = payload.metadata?.[METADATA_ENCODING_KEY];
      if (encoding === undefined || decode(encoding) !== ENCODING) return payload;
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
    const usedKey = payload.metadata?.[KEY_ID];
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.key, data.subarray(0, NONCE_BYTES));
      decipher.setAuthTag(data.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(data.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch (cause) {
      const other = usedKey === undefined ? 'none' : decode(usedKey);
      throw new KubewrightError('KW512', `A payload was encrypted with key ${other}, ours is ${this.keyId}`, {
        hint: 'Give client and worker the KUBEWRIGHT_PAYLOAD_KEY with which the install was started.',
        cause,
      });
    }
  }
}

/** Module with the failure converter that encrypts messages and stack traces too; workflows need it in their bundle. */
export const FAILURE_CONVERTER_PATH = failureConverterPath();

function failureConverterPath(): string {
  const compiled = fileURLToPath(new URL('./failure-converter.cjs', import.meta.url));
  return existsSync(compiled) ? compiled : compiled.replace(/cjs$/, 'cts');
}

/**
 * The converter of client and worker: undefined without a key, else one that encrypts with `KUBEWRIGHT_PAYLOAD_KEY` (32
 * bytes in base64) or the file that `KUBEWRIGHT_PAYLOAD_KEY_FILE` names.
 *
 * @throws KubewrightError KW511 when the key is not one
 */
export async function dataConverterFrom(env: NodeJS.ProcessEnv): Promise<DataConverter | undefined> {
  const text = await keyText(env);
  if (text === undefined) return undefined;
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length !== KEY_BYTES) {
    throw new KubewrightError('KW511', `The payload key has ${key.length} bytes, not ${KEY_BYTES}`, {
      hint: 'Make one with `openssl rand -base64 32`.',
    });
  }
  return { payloadCodecs: [new AesGcmCodec(key)], failureConverterPath: FAILURE_CONVERTER_PATH };
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
