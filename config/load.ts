/**
 * A configuration from text: read, old forms rewritten, decoded, checked as a whole. Either a frozen spec
 * with every default filled in, or all the mistakes; warnings in both cases. Apart from looking whether
 * configured files and directories exist it does no I/O and it never throws, whatever the text.
 */
import { statSync } from 'node:fs';
import { checkTogether } from './checks.ts';
import { rewriteOldForms } from './compat.ts';
import { bad, type DecodeContext } from './decode.ts';
import { type Diagnostic, Diagnostics } from './errors.ts';
import { linker } from './linker-spec.ts';
import type { LinkerSpec } from './spec.ts';
import { toJson } from './value.ts';
import { parseText } from './yaml.ts';

export type LoadOptions = {
  /** The file's name, or `<stdin>`. */
  readonly source: string;
  /** What stands at a path of the file system; a test passes its own. */
  readonly readable?: DecodeContext['readable'];
};

export type Loaded =
  | { readonly spec: LinkerSpec; readonly warnings: readonly Diagnostic[] }
  | { readonly errors: readonly Diagnostic[]; readonly warnings: readonly Diagnostic[] };

export function loadConfig(text: string, { source, readable = standing }: LoadOptions): Loaded {
  const diagnostics = new Diagnostics(source, text);
  const spec = load(diagnostics, readable);
  const warnings = diagnostics.warnings();
  return spec === undefined ? { errors: diagnostics.errors(), warnings } : { spec: freeze(spec), warnings };
}

function load(diagnostics: Diagnostics, readable: DecodeContext['readable']): LinkerSpec | undefined {
  const written = parseText(diagnostics);
  if (written === undefined) return undefined;
  const root = rewriteOldForms(written, diagnostics);
  const decoded = linker(root, '', { diagnostics, readable });
  checkTogether(root, diagnostics);
  return decoded === bad || diagnostics.failed ? undefined : { ...decoded, json: toJson(root) };
}

function standing(path: string): 'file' | 'directory' | 'missing' {
  try {
    return statSync(path).isDirectory() ? 'directory' : 'file';
  } catch {
    return 'missing';
  }
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
  return value;
}
