import type { DecisionAnswer, DecisionRequest, Refusal } from '../told.js';

/** What the server has said to a decision. */
export type Answer = { taken: true; message: string } | { taken: false; message: string; hint: string };

/** Sends a decision. It throws nothing: that nobody answers is an answer to a person. */
export async function sendDecision(token: string, cluster: string, decision: DecisionRequest): Promise<Answer> {
  try {
    const response = await fetch(`/api/clusters/${cluster}/decisions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'kubewright-token': token },
      body: JSON.stringify(decision),
    });
    const body = (await response.json()) as DecisionAnswer & Refusal;
    if (response.ok) return { taken: true, message: body.message };
    return { taken: false, message: `${body.message} (${body.code})`, hint: body.hint };
  } catch {
    return {
      taken: false,
      message: 'The program that serves this page does not answer.',
      hint: 'Nothing was decided.',
    };
  }
}
