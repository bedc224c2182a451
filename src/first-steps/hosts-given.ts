import { isIpv4 } from '../cluster/checks/ip.js';
import { port, sshAddress, userName } from '../cluster/schema/forms.js';
import type { DraftBastion, DraftRole, FoundHost } from './draft.js';
import { isValidName } from './names.js';

/** `[NAME=][USER@]ADDRESS[:PORT]` */
const HOST = /^(?:([^=]+)=)?(?:([^@]+)@)?([^:@=]+)(?::(\d+))?$/;

/**
 * Hosts as they are given on the command line or answered to a question: `cp-1=10.0.0.11, ubuntu@10.0.0.12:2222`.
 *
 * @param texts lists with commas or spaces
 * @param wrong takes each part that is none, as a sentence
 */
export function hostsGiven(texts: string[], role: DraftRole, wrong: (sentence: string) => void): FoundHost[] {
  const words = texts.flatMap((text) => text.split(/[\s,]+/)).filter((word) => word !== '');
  return words.flatMap((word) => {
    const { name, ...ssh } = partsOf(word) ?? {};
    const isRight = ssh.address !== undefined && (name === undefined || isValidName(name));
    if (isRight) return [{ name, role, runsPods: role === 'worker', ssh }];
    wrong(`"${word}" is no host: [NAME=][USER@]ADDRESS[:PORT], such as cp-1=10.0.0.11`);
    return [];
  });
}

/** A host through which others are reached. */
export function bastionGiven(word: string, wrong: (sentence: string) => void): DraftBastion | undefined {
  const { name, address, user, port } = partsOf(word) ?? {};
  if (address !== undefined && name === undefined) return { address, user, port };
  wrong(`--bastion ${word} is no host: [USER@]ADDRESS[:PORT]`);
  return undefined;
}

interface Parts {
  name?: string | undefined;
  user?: string | undefined;
  address?: string;
  port?: number | undefined;
}

function partsOf(word: string): Parts | undefined {
  const [, name, user, address = '', digits] = HOST.exec(word) ?? [];
  const number = digits === undefined ? undefined : Number(digits);
  // 10.0.0.300 and 10.0.1 are names as far as ssh goes, and nobody has such a name.
  const isAddress = /^[\d.]+$/.test(address) ? isIpv4(address) : sshAddress().safeParse(address).success;
  const isRight =
    isAddress &&
    (user === undefined || userName().safeParse(user).success) &&
    (number === undefined || port().safeParse(number).success);
  return isRight ? { name, user, address, port: number } : undefined;
}
