/** The router's dtab to be edited beside the resolution. It stays in the browser; a header can carry it. */
import { useState } from 'preact/hooks';
import { entriesOf, headerFor } from './request-text.ts';
import type { RouterSummary } from './routers.ts';

/** A longer dtab is scrolled. */
const ROWS_MAX = 40;

type Props = {
  readonly router: RouterSummary;
  readonly value: string;
  readonly base: string;
  /** Undefined: what the router has. */
  readonly onChange: (dtab: string | undefined) => void;
};

export function DtabEditor({ router, value, base, onChange }: Props) {
  const lines = router.dtab.flatMap(({ line }) => line ?? []);
  const header = headerFor(entriesOf(base), entriesOf(value));
  const changed = header.value !== '' || !header.exact || entriesOf(value).length !== entriesOf(base).length;
  return (
    <section class="card editor" aria-labelledby="dtab-title">
      <h2 id="dtab-title">Dtab of {router.label}</h2>
      <p class="muted">
        {lines.length === 0
          ? 'The configuration has no dtab.'
          : `Lines ${lines[0]} to ${lines.at(-1)} of the configuration.`}{' '}
        Later entries win. Edits stay in this page.
      </p>
      <textarea
        rows={Math.min(ROWS_MAX, Math.max(6, value.split('\n').length + 1))}
        aria-label="Dtab"
        value={value}
        spellcheck={false}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      <div class="toolbar">
        <button type="button" disabled={value === base} onClick={() => onChange(undefined)}>
          Undo all
        </button>
        {header.value !== '' && <CopyHeader value={header.value} />}
      </div>
      {changed && !header.exact && (
        <p class="muted">
          A header can only add entries after those of the router: one that is changed or removed here still
          takes part there where the others find nothing.
        </p>
      )}
    </section>
  );
}

function CopyHeader({ value }: { readonly value: string }) {
  const [copied, setCopied] = useState(false);
  const header = `l5d-dtab: ${value}`;
  return (
    <>
      <button
        type="button"
        class="primary"
        onClick={async () => {
          setCopied(await copy(header));
        }}
      >
        {copied ? 'Copied' : 'Copy as header'}
      </button>
      <code class="header">{header}</code>
    </>
  );
}

/** Browsers give the clipboard to pages of https and localhost only; the header can be marked by hand. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
