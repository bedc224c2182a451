import type { FrameLocator, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { ACTION_LIMIT_MS } from '../../browser.js';

/** A dialog that sends a message: `More Actions` → `Send an Update` or `Send a Signal`. */
export type Message = 'Update' | 'Signal';

export interface ResetChoice {
  /** Text of the event in the list, such as `WorkflowTaskCompleted`; the earliest one of that name is taken. */
  event: string;
  excludeSignals: boolean;
  excludeUpdates: boolean;
  reason: string;
}

/** Temporal's UI as a person uses it: by what is written on it, never by what lies behind. */
export class TemporalUi {
  constructor(
    readonly page: Page,
    private readonly url: string,
  ) {}

  /** The list of workflows that have blocked steps. */
  async openBlockedInstalls(): Promise<void> {
    const query = encodeURIComponent('`KubewrightBlockedSteps` is not null');
    await this.visit(`workflows?query=${query}`, this.page.getByRole('link', { name: /^cluster\// }).first());
  }

  async openInstall(workflowId: string): Promise<void> {
    await this.page.getByRole('link', { name: workflowId, exact: true }).first().click();
    await this.page.getByRole('heading', { name: workflowId }).waitFor();
  }

  async openRun(workflowId: string, runId: string): Promise<void> {
    const heading = this.page.getByRole('heading', { name: workflowId });
    await this.visit(`workflows/${encodeURIComponent(workflowId)}/${runId}`, heading);
  }

  async openTab(name: string): Promise<void> {
    await this.page.getByRole('tab', { name }).filter({ visible: true }).click();
  }

  /** The rendered Markdown that the workflow says of itself; it stands in a frame of its own. */
  async currentDetails(): Promise<FrameLocator> {
    await this.openTab('User Metadata');
    return this.page.frameLocator('#user-metadata-current-details');
  }

  /** Opens the dialog and fills it in, without sending it. */
  async fillMessage(kind: Message, name: string, payload: string): Promise<Locator> {
    await this.chooseAction(kind === 'Update' ? 'Send an Update' : 'Send a Signal');
    const dialog = this.dialog();
    await dialog.getByTestId(`${kind.toLowerCase()}-select-button`).click();
    await dialog.getByRole('option', { name: new RegExp(`^${name}\\b`) }).click();
    await this.writeData(dialog, payload);
    return dialog;
  }

  /**
   * Replaces what stands in the dialog's one JSON field, and leaves the field: it writes its JSON on several lines then,
   * which moves the button below it away from a click that is under way.
   */
  async writeData(dialog: Locator, payload: string): Promise<void> {
    await dialog.locator('[contenteditable=true]').click();
    await this.page.keyboard.press('ControlOrMeta+a');
    await this.page.keyboard.insertText(payload);
    await this.page.keyboard.press('Tab');
  }

  async submit(dialog: Locator): Promise<void> {
    await dialog.getByRole('button', { name: 'Submit' }).click();
  }

  async cancel(dialog: Locator): Promise<void> {
    await dialog.getByTestId('cancel-modal-button').click();
    await dialog.waitFor({ state: 'hidden' });
  }

  /** Fills the dialog in and sends it; returns when the dialog has closed, which it does on success alone. */
  async send(kind: Message, name: string, payload: string): Promise<void> {
    const dialog = await this.fillMessage(kind, name, payload);
    await this.submit(dialog);
    await dialog.waitFor({ state: 'hidden' });
  }

  /** Presses Reset on the card of the only pending activity, its tab being open; the dialog that asks whether it is meant stays open. */
  async askActivityReset(): Promise<Locator> {
    const buttons = this.page.getByRole('button', { name: 'Reset', exact: true }).filter({ visible: true });
    // Another step may be under way at first, such as the look at what was applied, which the lost host holds up for a moment.
    await expect.poll(() => buttons.count(), { timeout: ACTION_LIMIT_MS, interval: 200 }).toBe(1);
    await buttons.click();
    const dialog = this.dialog();
    await dialog.getByText('Reset Activity').waitFor();
    return dialog;
  }

  async confirmActivityReset(dialog: Locator): Promise<void> {
    await dialog.getByRole('button', { name: 'Reset', exact: true }).click();
    await dialog.waitFor({ state: 'hidden' });
  }

  /** Opens the Reset dialog of a closed run and fills it in, without confirming. */
  async fillWorkflowReset(choice: ResetChoice): Promise<Locator> {
    await this.page.getByRole('button', { name: 'Reset', exact: true }).filter({ visible: true }).click();
    const dialog = this.dialog();
    await dialog.getByTestId('workflow-reset-event-id-select-button').click();
    await dialog.getByRole('option', { name: choice.event }).first().click();
    if (choice.excludeSignals) await dialog.getByText('Exclude Signals').click();
    if (choice.excludeUpdates) await dialog.getByText('Exclude Updates').click();
    await dialog.getByTestId('reset-reason').fill(choice.reason);
    return dialog;
  }

  async confirm(dialog: Locator): Promise<void> {
    await dialog.getByRole('button', { name: 'Confirm' }).click();
    await dialog.waitFor({ state: 'hidden' });
  }

  /** On a busy machine the UI answers with an error page now and then, which asks for a refresh. */
  private async visit(path: string, sign: Locator): Promise<void> {
    const trouble = this.page.getByText('Try a refresh');
    await this.page.goto(`${this.url}/namespaces/default/${path}`);
    for (;;) {
      await sign.or(trouble).first().waitFor();
      if (await sign.isVisible()) return;
      await this.page.reload();
    }
  }

  private async chooseAction(name: string): Promise<void> {
    await this.page.getByRole('button', { name: 'More Actions' }).filter({ visible: true }).click();
    await this.page.getByRole('menuitem', { name }).filter({ visible: true }).click();
  }

  private dialog(): Locator {
    return this.page.getByRole('dialog');
  }
}
