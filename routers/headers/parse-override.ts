/** A table out of a header value: the parse error is an ordinary outcome here, hence a value. */
import type { Dtab } from '../../dtab/names.ts';
import { readDtab } from '../../dtab/parse.ts';
import { showDtab } from '../../dtab/show.ts';
import { DtabSyntaxError } from '../../dtab/syntax-error.ts';

/** The table, or what is wrong with the text; `source` says there which header it came in. */
export function parseOverride(text: string, source: string): Dtab | string {
  try {
    return readDtab(text, { source });
  } catch (error) {
    if (error instanceof DtabSyntaxError) return error.message;
    throw error;
  }
}

export function showOverride(dtab: Dtab): string {
  return showDtab(dtab);
}
