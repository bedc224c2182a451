import { h } from '/vendor/preact.js';
import type { Acts, Question } from './state.js';

interface DialogProps {
  question: Question;
  cluster: string;
  /** Such as `install`. */
  noun: string;
  acts: Acts;
}

/** The same function at each drawing, so that a dialog is opened once, and not anew while it is about to close. */
const opened = (element: HTMLDialogElement | null): void => element?.showModal();

/**
 * Asks once more, and for the reason. The browser's own dialog: it keeps the focus in, gives it back, and closes by Escape. That it has
 * closed a browser tells with its next picture only; who is quick has asked the next question by then.
 */
export function Dialog({ question, cluster, noun, acts }: DialogProps) {
  const isSkip = question.verb === 'skip';
  return (
    <dialog aria-labelledby="dialog-title" ref={opened} onClose={() => acts.forget(question)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          acts.decide(question, String(new FormData(event.currentTarget).get('reason') ?? ''));
        }}
      >
        <h2 id="dialog-title">{isSkip ? `Skip ${question.step}?` : `Abort the ${noun} of ${cluster}?`}</h2>
        <p>
          {isSkip
            ? 'The step is left out. Of a worker all that is left to do is left out with it: it will be no part of the cluster.'
            : `What it runs on the hosts is stopped, what is done there stays. The ${noun} can be started anew, and finds what is done.`}
        </p>
        <p>
          <label for="reason">{isSkip ? 'Why, for the record' : 'Why, for the record (may be left empty)'}</label>
          <input id="reason" name="reason" type="text" required={isSkip} maxLength={1000} autocomplete="off" />
        </p>
        <p class="buttons">
          <button type="submit">{isSkip ? 'Skip' : 'Abort'}</button>
          <button type="button" class="quiet" onClick={(event) => event.currentTarget.closest('dialog')?.close()}>
            Back
          </button>
        </p>
      </form>
    </dialog>
  );
}
