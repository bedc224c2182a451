import { z } from 'zod';
import { wrong } from '../../../cluster/schema/forms.js';

/** `HOST[:PORT]/PATH` with a tag, a digest or both: one without would be another image tomorrow. */
const REFERENCE =
  /^[a-z0-9][a-z0-9.-]*(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+((:\w[\w.-]{0,127})?@sha256:[0-9a-f]{64}|:\w[\w.-]{0,127})$/;

/** An image that the runtime of a control plane pulls. @param example a reference as it should be */
export function imageReference(example: string) {
  const form = wrong(`an image with its registry and a tag or digest, such as ${example}`, 'text');
  return z.string(form).regex(REFERENCE, form);
}
