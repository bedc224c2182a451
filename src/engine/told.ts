import { messageOf } from '../errors.js';

/** What was read, or why it was not. */
export type Told<T> = { value: T; why?: undefined } | { value?: undefined; why: string };

/** Waits for an answer; a failure is one, too. */
export async function told<T>(asking: Promise<T>): Promise<Told<T>> {
  try {
    return { value: await asking };
  } catch (error) {
    return { why: reasonOf(error) };
  }
}

/** Why something could not be read. The client says of each failed call what it did; gRPC's reason stands behind that. */
export function reasonOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : {};
  return cause instanceof Error ? `${messageOf(error)}: ${messageOf(cause)}` : messageOf(error);
}
