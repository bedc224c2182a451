import { createInterface } from 'node:readline';
import type { ReadStream } from 'node:tty';
import type { CommandContext } from './action.js';

/** Whether there is somebody to ask: a person at a terminal, who sees what is asked. */
export function canAsk({ output, shell }: Pick<CommandContext, 'output' | 'shell'>): boolean {
  return (
    (shell.stdin as Partial<ReadStream>).isTTY === true && shell.stderr.isTTY === true && !output.json && !shell.env.CI
  );
}

/** Asks until the answer is taken. */
export interface Questions {
  /**
   * @param question in a few words, with its default in brackets
   * @param accept what the answer means; undefined where it is none, of which it has told by itself
   * @throws an AbortError on Ctrl-C, and where the input ends
   */
  ask<T>(question: string, accept: (answer: string) => T | undefined): Promise<T>;
  close(): void;
}

/** Questions on standard error, so that standard output stays the command's result. */
export function openQuestions({ stdin, stderr }: CommandContext['shell']): Questions {
  const lines = createInterface({ input: stdin, output: stderr, terminal: 'setRawMode' in stdin });
  // Lines that come before their question, pasted ones for example, wait here; `rl.question` would lose them.
  const answers = lines[Symbol.asyncIterator]();
  return {
    async ask(question, accept) {
      for (;;) {
        lines.setPrompt(`${question}: `);
        lines.prompt();
        const { value, done } = await answers.next();
        if (done) throw new DOMException('there is no answer', 'AbortError');
        const accepted = accept(value.trim());
        if (accepted !== undefined) return accepted;
      }
    },
    close: () => lines.close(),
  };
}
