import { importStep } from './import-step.js';

/** Imports agnhost, with which the last check asks DNS from inside of pods. Nothing but that check waits for it. */
export const importCheckImages = importStep((artifacts) => artifacts.checkImages());
