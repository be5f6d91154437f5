/** A path out of request text: the parse error is an ordinary outcome here, hence a value. */
import { readPath } from '../../dtab/parse.ts';
import type { Path } from '../../dtab/path.ts';
import { DtabSyntaxError } from '../../dtab/syntax-error.ts';

/** The path, or what is wrong with the text; `source` says there where the text stood. */
export function parsePath(text: string, source: string): Path | string {
  try {
    return readPath(text, { source });
  } catch (error) {
    if (error instanceof DtabSyntaxError) return error.message;
    throw error;
  }
}
