import type { HealthChannel } from '../../cluster/health/settings.js';
import { type Post, post } from './post.js';
import { type RunProgram, runProgram } from './run-program.js';
import { type SendMail, sendMail } from './send-mail.js';

/** How messages leave the worker. */
export interface Senders {
  post: Post;
  sendMail: SendMail;
  run: RunProgram;
  /** How long one try may take, in milliseconds; below the 30 s of the activity. */
  limitsMs: Record<HealthChannel, number>;
}

/** The real ones. A webhook answers soon; a mail server may ask others first, and a program may have something to do. */
export const SENDERS: Senders = {
  post,
  sendMail,
  run: runProgram,
  limitsMs: { webhook: 10_000, mail: 15_000, command: 20_000 },
};
