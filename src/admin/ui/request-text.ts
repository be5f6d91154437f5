/** What people type for a name or a request: `/svc/web`, `web`, `http://web/a`, `POST web/a`. */

export type Typed =
  | { readonly type: 'name'; readonly path: string }
  | {
      readonly type: 'request';
      readonly method: string;
      readonly host: string;
      readonly target: string;
    };

const REQUEST = /^(?:([A-Za-z]+)\s+)?(?:https?:\/\/)?([^/\s]*)(\/\S*)?$/;

/** Undefined when it is neither. */
export function readTyped(text: string): Typed | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  if (trimmed.startsWith('/')) return { type: 'name', path: trimmed };
  const [match, method = 'GET', host = '', target = '/'] = REQUEST.exec(trimmed) ?? [];
  if (match === undefined) return undefined;
  return { type: 'request', method: method.toUpperCase(), host, target };
}

/** Lines `Name: value`. */
export function readHeaders(text: string): string[] {
  return text.split('\n').flatMap((line) => (line.includes(':') ? [line.trim()] : []));
}

/** What overrides of the dtab the headers bring. */
export function localDtab(headers: readonly string[]): string {
  return headers
    .flatMap((line) => {
      const [, value] = /^(?:l5d-dtab|dtab-local|l5d-ctx-dtab)\s*:\s*(.*)$/i.exec(line) ?? [];
      return value === undefined ? [] : [value.replace(/;\s*$/, '')];
    })
    .join(';');
}

/** Entries of a dtab, without comments, with single blanks. */
export function entriesOf(dtab: string): string[] {
  return dtab
    .replace(/^\s*#(?![/]).*$/gm, '')
    .split(';')
    .map((entry) => entry.trim().replace(/\s+/g, ' '))
    .filter((entry) => entry !== '');
}

/** The entries that a request must bring to be routed by `edited`; `exact`: then nothing else differs. */
export function headerFor(
  base: readonly string[],
  edited: readonly string[],
): { value: string; exact: boolean } {
  const extends_ = base.every((entry, i) => edited[i] === entry);
  const added = extends_ ? edited.slice(base.length) : edited;
  return { value: added.join(';'), exact: extends_ };
}
