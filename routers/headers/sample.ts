/** `l5d-sample`: the share of traces to sample, a decimal number that is clamped to 0..1. */
import { Field, type Fields } from '../fields.ts';

const NUMBER = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;

/** Undefined when the text is no number. */
export function parseSampleRate(text: string): number | undefined {
  const trimmed = text.trim();
  if (!NUMBER.test(trimmed)) return undefined;
  return Math.min(1, Math.max(0, Number(trimmed)));
}

/** Reads and removes the header; the first one counts. */
export function takeSampleRate(fields: Fields): number | undefined {
  const value = fields.first(Field.l5dSample);
  if (value === undefined) return undefined;
  fields.remove(Field.l5dSample);
  return parseSampleRate(value);
}
