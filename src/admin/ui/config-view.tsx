/** The configuration in force, those before it, and the check of another one. */
import { useState } from 'preact/hooks';
import { useFetched } from './use-fetched.ts';

type Generation = {
  readonly generation: number;
  readonly outcome: string;
  readonly by: string;
  readonly time: string;
  readonly sha256: string;
  readonly changes: readonly string[];
  readonly afterRestart: readonly string[];
  readonly errors: readonly string[];
};

const GENERATIONS_MS = 5000;

export function ConfigView() {
  const config = useFetched<unknown>('config.json');
  const generations = useFetched<readonly Generation[]>('config/generations.json', GENERATIONS_MS);
  return (
    <>
      <h1>Config</h1>
      {config.error !== undefined && <p class="error">{config.error}</p>}
      <section class="card" aria-labelledby="generations-title">
        <h2 id="generations-title">Generations</h2>
        <Generations list={generations.value ?? []} />
      </section>
      <Check />
      <section class="card" aria-labelledby="running-title">
        <h2 id="running-title">In force</h2>
        <pre>{JSON.stringify(config.value, undefined, 2)}</pre>
      </section>
    </>
  );
}

function Generations({ list }: { readonly list: readonly Generation[] }) {
  if (list.length === 0) return <p class="empty">This process does not replace its configuration.</p>;
  return (
    <ol class="generations">
      {list.map((each) => (
        <li key={`${each.time} ${each.sha256} ${each.outcome}`}>
          <strong>{each.generation}</strong> <OutcomeBadge outcome={each.outcome} />{' '}
          <span class="muted">
            {`by ${each.by}, ${new Date(each.time).toLocaleString()}, ${each.sha256.slice(0, 12)}`}
          </span>
          <Findings generation={each} />
        </li>
      ))}
    </ol>
  );
}

function OutcomeBadge({ outcome }: { readonly outcome: string }) {
  const bad = outcome === 'refused' || outcome === 'failed';
  return <span class={`badge ${bad ? 'bad' : 'good'}`}>{outcome}</span>;
}

function Findings({ generation: { changes, afterRestart, errors } }: { readonly generation: Generation }) {
  return (
    <>
      <Lines lines={changes} />
      {afterRestart.length > 0 && <p class="poor">After a restart of the process:</p>}
      <Lines lines={afterRestart} />
      {errors.length > 0 && <pre class="error">{errors.join('\n')}</pre>}
    </>
  );
}

function Lines({ lines }: { readonly lines: readonly string[] }) {
  return lines.length === 0 ? null : <pre>{lines.join('\n')}</pre>;
}

type Checked = { readonly generation: Generation } | { readonly problem: string };

/** A dry run: nothing changes. */
function Check() {
  const [text, setText] = useState('');
  const [checked, setChecked] = useState<Checked | undefined>(undefined);
  return (
    <section class="card" aria-labelledby="check-title">
      <h2 id="check-title">Check a configuration</h2>
      <p class="muted">Paste one to see its mistakes, or what it would change. Nothing is put in force.</p>
      <textarea
        rows={8}
        aria-label="Configuration to check"
        value={text}
        spellcheck={false}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <div class="toolbar">
        <button
          type="button"
          class="primary"
          disabled={text.trim() === ''}
          onClick={() => void check(text).then(setChecked)}
        >
          Check
        </button>
      </div>
      {checked !== undefined && <Result checked={checked} />}
    </section>
  );
}

function Result({ checked }: { readonly checked: Checked }) {
  if ('problem' in checked) return <p class="error">{checked.problem}</p>;
  const { generation } = checked;
  const good = generation.errors.length === 0;
  const same = generation.changes.length + generation.afterRestart.length === 0;
  return (
    <div role="status">
      <p class={good ? 'good' : 'bad'}>
        {good
          ? same
            ? 'It is good, and changes nothing.'
            : 'It is good, and would change:'
          : 'It cannot be used:'}
      </p>
      <Findings generation={generation} />
    </div>
  );
}

async function check(text: string): Promise<Checked> {
  try {
    const response = await fetch('config?dry-run=true', { method: 'POST', body: text });
    const answer = await response.text();
    if (!answer.startsWith('{')) return { problem: answer };
    return { generation: JSON.parse(answer) as Generation };
  } catch {
    return { problem: 'The router cannot be reached.' };
  }
}
