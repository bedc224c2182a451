import { ApplicationFailure } from '@temporalio/common';

/** Why a decision has no effect. Its code is the failure's type; `hint` names the way out. */
export class Refusal {
  constructor(
    readonly code: string,
    readonly message: string,
    readonly hint: string,
  ) {}

  /** As an update's validator must throw it: a plain Error would fail the workflow task, not the update. */
  toFailure(): ApplicationFailure {
    return ApplicationFailure.create({
      message: `${this.message}. ${this.hint}`,
      type: this.code,
      nonRetryable: true,
      details: [{ hint: this.hint }],
    });
  }
}
