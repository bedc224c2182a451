import type { z } from 'zod';

/** A key that must be there. */
export function required<T extends z.ZodType>(form: T, description: string): T {
  return form.meta({ description });
}

/** A key that may be left out; `fallback` is what editors and the reference show as its default. */
export function optional<T extends z.ZodType>(form: T, description: string, fallback?: unknown) {
  return form.optional().meta({ description, ...(fallback === undefined ? {} : { default: fallback }) });
}

/** A map or list that may be left out, or be empty because everything in it is commented out. */
export function section<T extends z.ZodType>(form: T, description: string, fallback?: unknown) {
  return form.nullish().meta({ description, ...(fallback === undefined ? {} : { default: fallback }) });
}

/** A key whose null means something: "none", where leaving it out means the default. */
export function nullable<T extends z.ZodType>(form: T, description: string, fallback?: unknown) {
  return form
    .nullable()
    .optional()
    .meta({ description, ...(fallback === undefined ? {} : { default: fallback }) });
}
